/* lookup.c - names and addresses, from the system's resolver.
 *
 * Who waits is an inquiry that lies in its box, on the stack of the task: only
 * the question itself is libuv's (question.h). */
#include "modules/net/lookup.h"

#include <lauxlib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "host/address.h"
#include "host/class.h"
#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/net/question.h"

static const char class_name[] = "neap.lookup";

struct asking {
  struct inquiry inquiry; /* first member, see on_answer */
  struct task *waiter;
  int status;
};

static void on_answer(struct inquiry *inquiry, int status) {
  struct asking *asking = (struct asking *)inquiry;
  asking->status = status;
  if (asking->waiter != NULL) task_wake(asking->waiter, 0);
}

static bool interrupt(struct task *task) {
  char *place = (char *)task->parked;
  struct asking *asking =
    (struct asking *)(place - offsetof(struct asking, waiter));
  inquiry_leave(&asking->inquiry);
  return false;
}

static int collect(lua_State *L) {
  struct asking *asking = class_check(L, 1, class_name);
  inquiry_leave(&asking->inquiry);
  return 0;
}

/* 0, or why it has failed: then the three are on the stack. */
static int failure(lua_State *L, const struct asking *asking,
                   const char *what) {
  int status = wait_status(L);
  if (status == 0) status = asking->status;
  if (status == 0) return 0;
  lua_pushfstring(L, "%s %s", what, lua_tostring(L, 1));
  return error_result(L, status, lua_tostring(L, -1));
}

/* ---- net.lookup(name [, options] [, callback]) --------------------------- */

/* The same once more? Files like /etc/hosts may say things twice. */
static bool is_repeated(lua_State *L, lua_Integer count) {
  bool repeated = false;
  for (lua_Integer i = 1; i <= count && !repeated; i++) {
    lua_rawgeti(L, -2, i);
    repeated = lua_rawequal(L, -1, -2);
    lua_pop(L, 1);
  }
  return repeated;
}

static void push_addresses(lua_State *L, const struct addrinfo *found) {
  char text[ADDRESS_TEXT];
  lua_Integer count = 0;
  lua_newtable(L);
  for (; found != NULL; found = found->ai_next) {
    if (!address_format_host(found->ai_addr, text)) continue;
    lua_pushstring(L, text);
    if (is_repeated(L, count))
      lua_pop(L, 1);
    else
      lua_rawseti(L, -2, ++count);
  }
}

static int lookup_finish(lua_State *L) { /* name, box */
  const struct asking *asking = lua_touserdata(L, 2);
  int failed = failure(L, asking, "lookup");
  if (failed > 0) return failed;
  push_addresses(L, inquiry_addresses(&asking->inquiry));
  return 1;
}

static const struct wait lookup_wait = {"lookup", lookup_finish, interrupt};

static int numeric_finish(lua_State *L) { /* name, its address */
  int status = wait_status(L);
  if (status < 0) { /* it cannot be late, but cancelled */
    lua_pushfstring(L, "lookup %s", lua_tostring(L, 1));
    return error_result(L, status, lua_tostring(L, -1));
  }
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, 1);
  return 1;
}

static const struct wait numeric_wait = {"lookup", numeric_finish, NULL};

/* What is a number already needs no thread. False: it is none. */
static bool push_numeric(lua_State *L, const char *text, int family) {
  struct sockaddr_storage name;
  char numbers[ADDRESS_TEXT];
  memset(&name, 0, sizeof name);
  if (!question_numeric(text, family, &name) ||
      !address_format_host((struct sockaddr *)&name, numbers))
    return false;
  lua_pushstring(L, numbers);
  return true;
}

static struct asking *push_asking(lua_State *L) {
  struct asking *asking = lua_newuserdatauv(L, sizeof *asking, 0);
  memset(asking, 0, sizeof *asking);
  asking->inquiry.on_answer = on_answer;
  class_set(L, class_name);
  return asking;
}

static int ask(lua_State *L, const struct wait *wait, enum question_kind kind,
               const char *text, int family, int64_t timeout) {
  struct asking *asking = push_asking(L);
  lua_replace(L, 2);
  struct task *task = wait_begin(L, wait, 3);
  int status = question_ask(L, &asking->inquiry, kind, text, family);
  if (status < 0) return wait_fail(L, task, status);
  return wait_park(L, task, &asking->waiter, timeout);
}

static const char *check_text(lua_State *L, int index) {
  size_t size;
  const char *text = luaL_checklstring(L, index, &size);
  luaL_argcheck(L, strlen(text) == size, index, "it contains a zero");
  return text;
}

static int option_family(lua_State *L, int index) {
  int family = AF_UNSPEC;
  if (lua_isnil(L, index)) return family;
  if (lua_getfield(L, index, "family") != LUA_TNIL) {
    const char *text = lua_tostring(L, -1);
    if (text != NULL && strcmp(text, "ipv4") == 0)
      family = AF_INET;
    else if (text != NULL && strcmp(text, "ipv6") == 0)
      family = AF_INET6;
    else
      luaL_argerror(L, index, "family must be \"ipv4\" or \"ipv6\"");
  }
  lua_pop(L, 1);
  return family;
}

int net_lookup(lua_State *L) {
  static const char *const options[] = {"family", "timeout", NULL};
  const char *text = check_text(L, 1);
  option_arguments(L, 1, options);
  int64_t timeout = option_ms(L, 2, "timeout");
  int family = option_family(L, 2);
  owner_here(L);
  if (!push_numeric(L, text, family))
    return ask(L, &lookup_wait, QUESTION_NAME, text, family, timeout);
  lua_replace(L, 2);
  return wait_pass(L, wait_begin(L, &numeric_wait, 3), NULL);
}

/* ---- net.reverse(address [, options] [, callback]) ----------------------- */

static int reverse_finish(lua_State *L) { /* address, box */
  const struct asking *asking = lua_touserdata(L, 2);
  int failed = failure(L, asking, "reverse");
  if (failed > 0) return failed;
  lua_pushstring(L, inquiry_name(&asking->inquiry));
  return 1;
}

static const struct wait reverse_wait = {"reverse", reverse_finish, interrupt};

/* "127.0.0.1", "::1", or with a port as sockets have it: pushes it without. */
static const char *check_numeric(lua_State *L, int index) {
  struct address address;
  const char *text = check_text(L, index);
  if (push_numeric(L, text, AF_UNSPEC)) return lua_tostring(L, -1);
  if (address_parse(text, &address) < 0 || address.is_unix ||
      !push_numeric(L, address.host, AF_UNSPEC))
    luaL_argerror(L, index,
                  "an address in numbers, with or without a port, expected");
  return lua_tostring(L, -1);
}

int net_reverse(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  luaL_checkstring(L, 1);
  option_arguments(L, 1, options);
  int64_t timeout = option_ms(L, 2, "timeout");
  owner_here(L);
  char text[ADDRESS_TEXT];
  strcpy(text, check_numeric(L, 1));
  lua_pop(L, 1);
  return ask(L, &reverse_wait, QUESTION_REVERSE, text, AF_UNSPEC, timeout);
}

void lookup_open_class(lua_State *L) {
  static const luaL_Reg methods[] = {{NULL, NULL}};
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

/* udp_receive.c - from the socket to the task that waits.
 *
 * A task that asks is given what the system has, from the C stack: nothing is
 * copied but into the string. Only where the task runs later, as one that had to
 * wait does, is the datagram held for it. */
#include <stdlib.h>
#include <string.h>

#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/net/udp.h"

enum { PATIENCE = 16 }; /* errors that messages() goes over in a row */

/* ---- datagrams ----------------------------------------------------------- */

/* An earlier one of ours has not arrived: that ends nothing. */
static bool is_passing(ssize_t status) {
  return status == UV_ECONNREFUSED || status == UV_EHOSTUNREACH ||
         status == UV_ENETUNREACH || status == UV_EMSGSIZE;
}

/* False: there is none, for now. */
static bool read_one(const struct udp *udp, char *buffer,
                     struct datagram *datagram) {
  for (int i = 0; i < PATIENCE; i++) {
    memset(datagram, 0, sizeof *datagram);
    datagram->size = udp_receive_now(udp->fd, buffer, &datagram->from);
    if (!udp->patient || !is_passing(datagram->size)) break;
  }
  if (datagram->size == UV_EAGAIN) return false;
  if (udp->patient && is_passing(datagram->size)) return false;
  datagram->bytes = datagram->size >= 0 ? buffer : NULL;
  return true;
}

static bool is_there(const struct datagram *datagram) {
  return datagram->bytes != NULL || datagram->size < 0;
}

/* A copy, until somebody takes it. */
static void hold(struct udp *udp, const struct datagram *datagram) {
  udp->held = *datagram;
  if (datagram->size < 0) return;
  size_t size = (size_t)datagram->size;
  udp->held.bytes = malloc(size + 1); /* it may be empty */
  if (udp->held.bytes == NULL)
    udp->held.size = UV_ENOMEM;
  else
    memcpy(udp->held.bytes, datagram->bytes, size);
}

void udp_drop_held(struct udp *udp) {
  free(udp->held.bytes);
  memset(&udp->held, 0, sizeof udp->held);
}

void udp_hand_over(struct udp *from, struct udp *to) {
  if (from == NULL || !is_there(&from->held)) return;
  to->held = from->held;
  memset(&from->held, 0, sizeof from->held);
  to->receiving = false;
  if (to->receiver != NULL) task_wake(to->receiver, 0);
}

void udp_take(struct udp *udp) {
  char buffer[UDP_DATAGRAM_MOST];
  struct datagram datagram;
  if (!read_one(udp, buffer, &datagram)) return;
  hold(udp, &datagram);
  udp->receiving = false;
  if (udp->receiver != NULL) task_wake(udp->receiver, 0);
}

/* ---- socket:receive([options] [, callback]) ------------------------------ */

/* Mostly it is the same as before. */
static void push_from(lua_State *L, struct udp *udp,
                      const union udp_name *from) {
  char text[ADDRESS_TEXT];
  int type = lua_getiuservalue(L, 1, UDP_VALUE_FROM);
  if (type == LUA_TSTRING && memcmp(&udp->known, from, sizeof *from) == 0)
    return;
  lua_pop(L, 1);
  address_format(&from->any, text);
  lua_pushstring(L, text);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, UDP_VALUE_FROM);
  udp->known = *from;
}

static int push_datagram(lua_State *L, struct udp *udp,
                         const struct datagram *datagram) {
  if (datagram->size < 0)
    return udp_error(L, udp, (int)datagram->size, "receive");
  lua_pushlstring(L, datagram->bytes, (size_t)datagram->size);
  push_from(L, udp, &datagram->from);
  return 2;
}

static int receive_finish(lua_State *L) { /* socket */
  struct udp *udp = (struct udp *)((struct box *)lua_touserdata(L, 1))->handle;
  if (is_there(&udp->lent)) {
    struct datagram lent = udp->lent;
    memset(&udp->lent, 0, sizeof udp->lent);
    return push_datagram(L, udp, &lent);
  }
  if (is_there(&udp->held)) {
    int count = push_datagram(L, udp, &udp->held);
    udp_drop_held(udp); /* not where that has raised */
    return count;
  }
  int status = wait_status(L);
  if (status == 0) status = UV_ECANCELED; /* whatever was there is gone */
  return udp_error(L, udp, status, "receive");
}

static bool interrupt(struct task *task) {
  char *place = (char *)task->parked;
  struct udp *udp = (struct udp *)(place - offsetof(struct udp, receiver));
  udp->receiving = false;
  udp_watch(udp);
  return false;
}

static const struct wait receive_wait = {"receive", receive_finish, interrupt};

/* True: it is in udp->lent for this call, or it is held. */
static bool get_now(struct udp *udp, bool in_this_call, char *buffer) {
  struct datagram datagram;
  if (is_there(&udp->held)) return true;
  if (udp->handle.work.staged || !read_one(udp, buffer, &datagram))
    return false;
  if (in_this_call)
    udp->lent = datagram;
  else
    hold(udp, &datagram);
  return true;
}

/* The stack is the socket, and the callback at its index. */
static int start_receive(lua_State *L, struct udp *udp, int callback,
                         bool patient, int64_t timeout) {
  char buffer[UDP_DATAGRAM_MOST];
  if (udp->receiver != NULL)
    return luaL_error(L, "another task waits for this socket's datagrams");
  struct task *task = wait_begin(L, &receive_wait, callback);
  const struct host *host = task->host;
  if (udp->handle.closing) return wait_fail(L, task, UV_ECANCELED);
  udp->patient = patient;
  bool in_this_call = task == host->current && host->credit > 0;
  if (get_now(udp, in_this_call, buffer)) {
    int results = wait_pass(L, task, &udp->receiver);
    memset(&udp->lent, 0, sizeof udp->lent);
    return results;
  }
  udp->receiving = true;
  udp_watch(udp);
  return wait_park(L, task, &udp->receiver, timeout);
}

int udp_receive(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  struct udp *udp = udp_check(L);
  option_arguments(L, 1, options);
  int64_t timeout = option_ms(L, 2, "timeout");
  return start_receive(L, udp, 3, false, timeout);
}

/* ---- socket:messages() --------------------------------------------------- */

static int next_message(lua_State *L) {
  lua_settop(L, 1);
  struct udp *udp = udp_check_any(L);
  if (udp->handle.ended) /* in the loop: that ends it */
    return udp_error(L, udp, UV_ECANCELED, "receive");
  return start_receive(L, udp, 2, true, WAIT_FOREVER);
}

int udp_messages(lua_State *L) {
  udp_check(L);
  lua_settop(L, 1);
  lua_pushcfunction(L, next_message);
  lua_insert(L, 1);
  return 2;
}

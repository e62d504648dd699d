/* connect.c - look a name up, connect to one of its addresses, hand the
 * connection over.
 *
 * The attempt lies in its box, on the stack of the task that waits: what libuv
 * holds is the question (question.h) and the contenders of the race (race.h). */
#include "modules/net/connect.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/address.h"
#include "host/class.h"
#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "host/listen/bind.h"
#include "modules/net/connection.h"
#include "modules/net/question.h"
#include "modules/net/race.h"

static const char class_name[] = "neap.connect";

struct attempt {
  struct task *waiter; /* first member, see interrupt */
  struct address address;
  struct inquiry inquiry;
  struct race race;
  int status;
  bool done; /* connected, failed, or given up */
};

static void finish_with(struct attempt *attempt, int status) {
  attempt->status = status;
  attempt->done = true;
  if (attempt->waiter != NULL) task_wake(attempt->waiter, 0);
}

static void on_end(struct race *race, int status) {
  char *place = (char *)race;
  finish_with((struct attempt *)(place - offsetof(struct attempt, race)),
              status);
}

static void on_answer(struct inquiry *inquiry, int status) {
  char *place = (char *)inquiry;
  struct attempt *attempt =
    (struct attempt *)(place - offsetof(struct attempt, inquiry));
  if (status < 0)
    finish_with(attempt, status);
  else
    race_start(&attempt->race, inquiry_addresses(inquiry),
               address_port(&attempt->address));
}

/* This never has to wait. (libuv's does not know names like "@name".) */
static int try_unix(struct attempt *attempt) {
  struct race *race = &attempt->race;
  struct sockaddr_un name;
  socklen_t size = address_unix(attempt->address.host, &name);
  struct connection *connection =
    connection_new(race->host, race->owner, UV_NAMED_PIPE);
  if (connection == NULL) return UV_ENOMEM;
  struct stream *stream = &connection->stream;
  handle_use(&stream->handle);
  stream->handle.origin = race->origin;
  race->winner = stream;
  int fd = bind_open_socket(AF_UNIX);
  if (fd < 0) return uv_translate_sys_error(errno);
  int status = 0;
  if (connect(fd, (const struct sockaddr *)&name, size) < 0)
    status = uv_translate_sys_error(errno);
  if (status == 0) status = uv_pipe_open(&stream->uv.pipe, fd);
  if (status < 0) {
    close(fd);
    return status;
  }
  return stream_start(stream);
}

static void begin(lua_State *L, struct attempt *attempt) {
  struct sockaddr_storage name;
  int status = 0;
  if (attempt->address.is_unix) {
    finish_with(attempt, try_unix(attempt));
  } else if (address_resolve(&attempt->address, false, &name) == 0) {
    race_start_one(&attempt->race, (struct sockaddr *)&name);
  } else {
    status = question_ask(L, &attempt->inquiry, QUESTION_USABLE,
                          attempt->address.host, AF_UNSPEC);
    if (status < 0) finish_with(attempt, status);
  }
}

/* ---- the function -------------------------------------------------------- */

static void give_up(struct attempt *attempt) {
  attempt->done = true;
  inquiry_leave(&attempt->inquiry);
  race_stop(&attempt->race);
}

static int collect(lua_State *L) {
  give_up(class_check(L, 1, class_name));
  return 0;
}

static int finish(lua_State *L) { /* address, box */
  struct attempt *attempt = lua_touserdata(L, 2);
  struct stream *stream = attempt->race.winner;
  int status = wait_status(L);
  if (status == 0) status = attempt->status;
  if (status == 0 && (stream == NULL || stream->handle.closing))
    status = UV_ECANCELED;
  if (status == 0) {
    stream_push(L, stream);
    handle_leave(&stream->handle); /* it has a box of its own now */
    attempt->race.winner = NULL;
    return 1;
  }
  give_up(attempt);
  lua_pushfstring(L, "connect %s", lua_tostring(L, 1));
  return error_result(L, status, lua_tostring(L, -1));
}

/* Late or cancelled: nothing may come of it behind our back. */
static bool interrupt(struct task *task) {
  give_up((struct attempt *)task->parked);
  return false;
}

static const struct wait connect_wait = {"connect", finish, interrupt};

static struct attempt *push_attempt(lua_State *L, const struct address *address,
                                    struct owner *owner) {
  struct attempt *attempt = lua_newuserdatauv(L, sizeof *attempt, 0);
  memset(attempt, 0, sizeof *attempt);
  class_set(L, class_name);
  attempt->address = *address;
  attempt->inquiry.on_answer = on_answer;
  attempt->race.host = host_of(L);
  attempt->race.owner = owner;
  attempt->race.origin = origin_here(L);
  attempt->race.on_end = on_end;
  return attempt;
}

int net_connect(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  struct address address;
  address_check(L, 1, &address);
  option_arguments(L, 1, options);
  int64_t timeout = option_ms(L, 2, "timeout");
  struct attempt *attempt = push_attempt(L, &address, owner_here(L));
  lua_replace(L, 2);
  struct task *task = wait_begin(L, &connect_wait, 3);
  begin(L, attempt);
  if (attempt->done) return wait_pass(L, task, &attempt->waiter);
  return wait_park(L, task, &attempt->waiter, timeout);
}

void connect_open_class(lua_State *L) {
  static const luaL_Reg methods[] = {{NULL, NULL}};
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

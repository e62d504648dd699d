/* listener.c - listeners of two kinds, whose connections do nothing: how an
 * address goes from one version to the next, what happens to the connections,
 * and the last call. A connection here is a descriptor in a list. */
#include "host/listen/listener.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "spec/c/machine.h"

enum { FDS_MOST = 64 };

struct conn {
  struct served served;
  int fd;
};

static struct conn conns[FDS_MOST];
static int clients[FDS_MOST];
static int conn_count, client_count;
static int port; /* of the version that listened last */

/* What has happened, over all versions: by kind. */
struct counts {
  int accepted, pumped, open;
};

static struct counts counts[2];

/* ---- two kinds ----------------------------------------------------------- */

static void take(struct listener *listener, int fd,
                 const struct sockaddr *peer);
static void pump(struct served *served);

static const struct listener_kind kinds[2] = {
  {.work = {.name = "server", .stop = handle_stop, .start = listener_start},
   .class_name = "test.first",
   .size = sizeof(struct listener),
   .accept = take,
   .pump = pump,
   .last_call = true},
  {.work = {.name = "server", .stop = handle_stop, .start = listener_start},
   .class_name = "test.second",
   .size = sizeof(struct listener),
   .accept = take,
   .pump = pump},
};

static void take(struct listener *listener, int fd,
                 const struct sockaddr *peer) {
  struct conn *conn = &conns[conn_count++];
  assert(peer->sa_family == AF_INET);
  conn->fd = fd;
  counts[listener->kind - kinds].accepted++;
  counts[listener->kind - kinds].open++;
  service_add(listener->service, &conn->served, conn);
}

/* They always rest: so they end where their service does. */
static void pump(struct served *served) {
  const struct conn *conn = served->connection;
  struct counts *count = &counts[served->service->listener->kind - kinds];
  assert(&conn->served == served);
  count->pumped++;
  if (!served->service->over) return;
  count->open--;
  service_remove(served);
  service_remove(served); /* idempotent */
}

/* ---- what versions and the driver see ------------------------------------ */

/* serve(kind): at a port that the system chooses */
static int serve(lua_State *L) {
  int which = (int)luaL_checkinteger(L, 1);
  struct address address;
  struct listener *listener;
  char bound[ADDRESS_TEXT];
  int status = address_parse("127.0.0.1:0", &address);
  assert(status == 0);
  listener_class(L, &kinds[which], (const luaL_Reg[]){{NULL, NULL}}, NULL);
  status = listener_open(L, &kinds[which], &address, true, &listener);
  assert(status == 0);
  lua_pushinteger(L, which);
  status = listener_begin(L, listener, -1);
  assert(status == 0 && listener_address(listener, bound));
  port = atoi(strrchr(bound, ':') + 1);
  return 0;
}

static int run_main(lua_State *L) {
  lua_register(L, "serve", serve);
  return machine_run_text(L);
}

static struct generation *prepared;

/* prepare(text): the text is a literal of the driver */
static int prepare(lua_State *L) {
  prepared = generation_new(L, modules_open);
  struct task *task = task_start(host_of(L), &prepared->background, run_main,
                                 (void *)(intptr_t)luaL_checkstring(L, 1));
  assert(task != NULL);
  task_start_staged(task);
  return 0;
}

static int commit(lua_State *L) {
  int status = generation_commit(prepared);
  (void)L;
  assert(status == 0);
  return 0;
}

/* give_up(): the version that was prepared */
static int give_up(lua_State *L) {
  (void)L;
  generation_retire(prepared, true);
  return 0;
}

/* connect(): the system does it, nobody needs to accept */
static int connect_to(lua_State *L) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in name = {.sin_family = AF_INET};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  name.sin_port = htons((uint16_t)port);
  int status = connect(fd, (struct sockaddr *)&name, sizeof name);
  (void)L;
  assert(status == 0);
  clients[client_count++] = fd;
  return 0;
}

/* drain() */
static int drain(lua_State *L) {
  loop_drain(host_of(L));
  return 0;
}

/* count(kind) -> "accepted pumped open" */
static int count(lua_State *L) {
  const struct counts *c = &counts[luaL_checkinteger(L, 1)];
  lua_pushfstring(L, "%d %d %d", c->accepted, c->pumped, c->open);
  return 1;
}

static const luaL_Reg functions[] = {
  {"commit", commit}, {"connect", connect_to}, {"count", count},
  {"drain", drain},   {"give_up", give_up},    {"prepare", prepare},
  {NULL, NULL},
};

static void forget_sockets(void) {
  for (int i = 0; i < conn_count; i++) {
    assert(conns[i].served.service == NULL); /* the host is closed */
    close(conns[i].fd);
  }
  for (int i = 0; i < client_count; i++) close(clients[i]);
  conn_count = client_count = 0;
}

/* Runs the driver in a fresh host, which it drains as its last act. */
static void run(const char *driver) {
  struct host *host = machine_open(30);
  lua_State *L = host->L;
  memset(counts, 0, sizeof counts);
  memset(conns, 0, sizeof conns);
  lua_pushglobaltable(L);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
  luaL_dostring(L, "timer = require 'neap.timer'\n"
                   "function turn() for _ = 1, 5 do timer.sleep(0) end end\n"
                   "function expect(kind, text)\n"
                   "  local got = count(kind)\n"
                   "  if got ~= text then error(got, 2) end\n"
                   "end\n"
                   "function version(text)\n"
                   "  prepare(text)\n"
                   "  turn()\n"
                   "  commit()\n"
                   "  turn()\n"
                   "end\n");
  machine_start(host, &host->root->background, driver);
  loop_run(host);
  assert(host->failures == 0);
  machine_close(host);
  forget_sockets();
}

/* ---- the tests ----------------------------------------------------------- */

static void test_pass_on(void) {
  run("version 'serve(0)'\n"
      "connect() connect()\n"
      "turn()\n"
      "expect(0, '2 0 2')\n"
      "version 'serve(0)'\n" /* nothing is done for them */
      "connect()\n"
      "turn()\n"
      "expect(0, '3 0 3')\n"
      "drain()\n");
}

/* Another kind gets the socket, but does not know the connections. */
static void test_other_kind(void) {
  run("version 'serve(0)'\n"
      "connect() connect()\n"
      "turn()\n"
      "prepare 'serve(1)'\n"
      "turn()\n"
      "connect()\n" /* there is one queue, and the live one accepts */
      "turn()\n"
      "expect(0, '3 0 3')\n"
      "connect()\n"
      "commit()\n"
      "turn()\n"
      "expect(0, '3 3 0')\n"
      "connect()\n"
      "turn()\n"
      "expect(1, '2 0 2')\n"
      "version 'serve(0)'\n" /* and back */
      "expect(1, '2 2 0')\n"
      "connect()\n"
      "turn()\n"
      "expect(0, '4 3 1')\n"
      "drain()\n");
}

static void test_given_up(void) {
  run("version 'serve(0)'\n"
      "connect()\n"
      "turn()\n"
      "prepare 'serve(1)'\n"
      "turn()\n"
      "give_up()\n"
      "connect()\n"
      "turn()\n"
      "expect(0, '2 0 2')\n"
      "version 'serve(0)'\n"
      "connect()\n"
      "turn()\n"
      "expect(0, '3 0 3')\n"
      "drain()\n");
}

/* No listener comes: the connections end, and the service with the last one. */
static void test_no_heir(void) {
  run("version 'serve(0)'\n"
      "connect() connect()\n"
      "turn()\n"
      "version ''\n"
      "expect(0, '2 2 0')\n"
      "drain()\n");
}

static void test_last_call(void) {
  run("version 'serve(0)'\n"
      "for _ = 1, 20 do connect() end\n"
      "expect(0, '0 0 0')\n"
      "drain()\n");
  assert(counts[0].accepted == 20 && counts[0].open == 20);
  run("version 'serve(1)'\n"
      "connect()\n"
      "drain()\n");
  assert(counts[1].accepted == 0);
}

/* One that is being prepared has nobody to call: the live one has the queue. */
static void test_last_call_staged(void) {
  run("version 'serve(1)'\n"
      "prepare 'serve(0)'\n"
      "turn()\n"
      "connect()\n"
      "drain()\n");
  assert(counts[0].accepted == 0 && counts[1].accepted == 0);
}

int main(void) {
  test_pass_on();
  test_other_kind();
  test_given_up();
  test_no_heir();
  test_last_call();
  test_last_call_staged();
  return 0;
}

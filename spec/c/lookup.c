/* lookup.c - a resolver that does not answer: files are read all the same, equal
 * questions are asked once, who gives up goes on, and the program can end.
 *
 * The resolver is ours: this program's getaddrinfo comes before that of libc. */
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>

#include "spec/c/machine.h"

enum { EQUAL = 500, DIFFERENT = 500 };

/* ---- the resolver: names that begin with "slow" wait for an answer ------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;
static bool answers;
static int asked;   /* of all names */
static int same;    /* of one of them */
static int waiting; /* threads that are in here */

typedef int resolve(const char *name, const char *service,
                    const struct addrinfo *hints, struct addrinfo **found);

__attribute__((visibility("default"))) int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
            struct addrinfo **found) {
  union {
    void *symbol;
    resolve *call;
  } system = {dlsym(RTLD_NEXT, "getaddrinfo")};
  pthread_mutex_lock(&lock);
  asked++;
  if (strcmp(name, "slow.same") == 0) same++;
  waiting++;
  while (strncmp(name, "slow", 4) == 0 && !answers)
    pthread_cond_wait(&answered, &lock);
  waiting--;
  pthread_mutex_unlock(&lock);
  return system.call("192.0.2.7", service, hints, found);
}

static void set_answers(bool on) {
  pthread_mutex_lock(&lock);
  answers = on;
  pthread_cond_broadcast(&answered);
  pthread_mutex_unlock(&lock);
}

static int read_locked(const int *value) {
  pthread_mutex_lock(&lock);
  int result = *value;
  pthread_mutex_unlock(&lock);
  return result;
}

/* ---- the loop, turn by turn ---------------------------------------------- */

static lua_Integer count(struct host *host, const char *name) {
  lua_getglobal(host->L, name);
  lua_Integer value = lua_tointeger(host->L, -1);
  lua_pop(host->L, 1);
  return value;
}

static void turn(struct host *host) {
  loop_dispatch(host);
  uv_run(&host->loop, UV_RUN_NOWAIT);
  clock_advance(&host->clock);
}

static void on_read(uv_fs_t *request) {
  assert(request->result >= 0);
  *(bool *)request->data = true;
}

/* A file can be opened, and that is a job in the thread pool. */
static void use_file(struct host *host) {
  bool done = false;
  uv_fs_t request;
  request.data = &done;
  int status = uv_fs_stat(&host->loop, &request, ".", on_read);
  assert(status == 0);
  while (!done) turn(host);
  uv_fs_req_cleanup(&request);
}

/* ---- what the tasks do --------------------------------------------------- */

static const char text[] =
  "local neap, net = require 'neap', require 'neap.net'\n"
  "got, failed, given_up, begun = 0, 0, 0, 0\n"
  "local function ask(name)\n"
  "  begun = begun + 1\n"
  "  local found, _, code = net.lookup(name)\n"
  "  if found and found[1] == '192.0.2.7' and not found[2] then got = got + 1\n"
  "  else failed = failed + 1 end\n"
  "end\n"
  "for i = 1, 500 do\n"
  "  neap.go(ask, 'slow.same')\n"
  "  neap.go(ask, 'slow.' .. i)\n"
  "end\n"
  "local task = neap.go(ask, 'slow.1')\n"
  "for i = 1, 500 do\n"
  "  neap.go(function()\n"
  "    local found, _, code = net.lookup('slow.late' .. i, { timeout = 0.001 })\n"
  "    if not found and code == 'ETIMEDOUT' then given_up = given_up + 1 end\n"
  "  end)\n"
  "end\n"
  "neap.go(function()\n"
  "  local _, _, code = net.connect('slow.same:1', { timeout = 0.001 })\n"
  "  if code == 'ETIMEDOUT' then given_up = given_up + 1 end\n"
  "  task:cancel()\n"
  "end)\n";

static void test_slow_names(void) {
  struct host *host = machine_open(30);
  machine_start(host, &host->root->background, text);
  while (read_locked(&waiting) == 0 || count(host, "given_up") < 501)
    turn(host);
  assert(count(host, "begun") == 1001);
  use_file(host); /* while they wait */
  assert(count(host, "got") + count(host, "failed") == 0);
  set_answers(true);
  while (count(host, "got") < EQUAL + DIFFERENT) turn(host);
  loop_run(host);
  assert(count(host, "failed") == 0);
  assert(read_locked(&same) <= 2); /* for connect it is another question */
  assert(read_locked(&asked) <= DIFFERENT + 4); /* who was late has left */
  machine_close(host);
}

/* ---- the end of a program ------------------------------------------------ */

/* Nobody waits any more. */
static const char given_up[] =
  "local net = require 'neap.net'\n"
  "local found, message = net.lookup('slow.a', { timeout = 0.2 })\n"
  "assert(not found and message == 'lookup slow.a: timed out', message)\n"
  "reached = 1\n";

/* Somebody does. */
static const char stopped[] =
  "local neap, net = require 'neap', require 'neap.net'\n"
  "neap.go(net.lookup, 'slow.b')\n"
  "neap.go(net.connect, 'slow.b:1')\n"
  "reached = 1\n";

/* It ends without the threads, and says so. */
static void test_end(const char *script, int threads) {
  struct host *host = machine_open(30);
  set_answers(false);
  machine_start(host, &host->root->background, script);
  while (read_locked(&waiting) < threads) turn(host);
  if (threads > 1) loop_stop(host, 0);
  loop_run(host);
  assert(host_exit_code(host) == 0);
  assert(count(host, "reached") == 1);
  bool closed = host_close(host);
  assert(!closed);
  (void)closed;
}

int main(void) {
  test_slow_names();
  test_end(given_up, 1);
  test_end(stopped, 2);
  _exit(0); /* as main() does: exit would wait for the threads */
}

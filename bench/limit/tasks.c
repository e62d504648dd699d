/* tasks - the limit for tasks: a queue of Lua functions, run on coroutines
 * from a pool. Nothing is reported, cancelled, counted or owned. Prints ns of
 * CPU for each: tasks COUNT, 1,000 in the queue at a time. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 1000 };

struct task {
  lua_State *co;
  struct task *next;
};

static struct host {
  lua_State *L;
  struct task *pool;
  struct task *first, **last; /* ready */
  struct task tasks[BATCH];
} host;

static void fill_pool(void) {
  for (int i = 0; i < BATCH; i++) {
    struct task *task = &host.tasks[i];
    task->co = lua_newthread(host.L);
    luaL_ref(host.L, LUA_REGISTRYINDEX);
    task->next = host.pool;
    host.pool = task;
  }
  host.last = &host.first;
}

/* go(fn): the task runs when this turn is over. */
static int go(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  struct task *task = host.pool;
  if (task == NULL) return luaL_error(L, "no task left");
  host.pool = task->next;
  lua_xmove(L, task->co, 1);
  task->next = NULL;
  *host.last = task;
  host.last = &task->next;
  return 0;
}

static void run_one(struct task *task) {
  int results;
  if (lua_resume(task->co, NULL, 0, &results) != LUA_OK) {
    fprintf(stderr, "tasks: %s\n", lua_tostring(task->co, -1));
    exit(1);
  }
  lua_settop(task->co, 0);
  task->next = host.pool;
  host.pool = task;
}

static int run_ready(lua_State *L) {
  struct task *task = host.first;
  (void)L;
  host.first = NULL;
  host.last = &host.first;
  while (task != NULL) {
    struct task *next = task->next;
    run_one(task);
    task = next;
  }
  return 0;
}

static double cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static const char script[] = "local go, run, turns = ...\n"
                             "local done = 0\n"
                             "local function work() done = done + 1 end\n"
                             "for _ = 1, turns do\n"
                             "  for _ = 1, 1000 do go(work) end\n"
                             "  run()\n"
                             "end\n"
                             "assert(done == turns * 1000)\n";

static void run_turns(lua_State *L, long turns) {
  if (luaL_loadstring(L, script) == LUA_OK) {
    lua_pushcfunction(L, go);
    lua_pushcfunction(L, run_ready);
    lua_pushinteger(L, turns);
    if (lua_pcall(L, 3, 0, 0) == LUA_OK) return;
  }
  fprintf(stderr, "tasks: %s\n", lua_tostring(L, -1));
  exit(1);
}

int main(int argc, char **argv) {
  long turns = argc > 1 ? atol(argv[1]) / BATCH : 1000;
  lua_State *L = host.L = luaL_newstate();
  if (L == NULL) return 1;
  luaL_requiref(L, "_G", luaopen_base, 1);
  lua_settop(L, 0);
  fill_pool();
  run_turns(L, turns / 10 + 1);
  double start = cpu_ns();
  run_turns(L, turns);
  printf("%.2f\n", (cpu_ns() - start) / (double)(turns * BATCH));
  lua_close(L);
  return 0;
}

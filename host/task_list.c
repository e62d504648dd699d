/* task_list.c - every task that has not ended, by age. */
#include "host/task_list.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/task.h"
#include "host/wait.h"

struct list {
  struct task **tasks; /* NULL while they are only counted */
  size_t count;
};

static void add(struct work *work, void *data) {
  struct list *list = data;
  if (!task_is(work)) return;
  if (list->tasks != NULL) list->tasks[list->count] = (struct task *)work;
  list->count++;
}

static void add_all(struct list *list, struct host *host) {
  list->count = 0;
  generation_each_work(host, add, list);
}

static int by_id(const void *a, const void *b) {
  uint64_t first = (*(struct task *const *)a)->id;
  uint64_t second = (*(struct task *const *)b)->id;
  return first < second ? -1 : first > second;
}

/* ---- one task ------------------------------------------------------------ */

static const char *waits_for(const struct task *task) {
  return task->state == TASK_WAITING && task->wait != NULL ? task->wait->name
                                                           : NULL;
}

static struct origin where(const struct task *task, lua_State *running) {
  if (task->state == TASK_RUNNING && running != NULL)
    return origin_of(task->host, running);
  if (task->state == TASK_WAITING && task->begun)
    return origin_of(task->host, task->waiting);
  return task->origin;
}

static const char *owner_name(const struct task *task) {
  return owner_is_background(task->work.owner) ? "background" : "connection";
}

/* Not the loop's time: that stands still while a task runs. */
static double seconds_since(const struct task *task, uint64_t ms) {
  return (double)clock_ns(&task->host->clock) / 1e9 - (double)ms / 1000;
}

/* ---- to a file ----------------------------------------------------------- */

static void print_task(FILE *file, const struct task *task,
                       lua_State *running) {
  struct origin origin = where(task, running);
  const char *what = waits_for(task);
  fprintf(file, "%6llu  %-8s %9.3f  %-10s %-16s gen %llu %-11s  %s:%d\n",
          (unsigned long long)task->id, task_state_name(task),
          seconds_since(task, task->started), what != NULL ? what : "-",
          task->name, (unsigned long long)task->work.owner->generation->id,
          owner_name(task), origin.source != NULL ? origin.source : "?",
          origin.line);
}

void task_list_print(struct host *host, FILE *file, lua_State *running) {
  struct list list = {NULL, 0};
  add_all(&list, host);
  list.tasks = malloc((list.count + 1) * sizeof *list.tasks);
  if (list.tasks == NULL) return;
  add_all(&list, host);
  qsort(list.tasks, list.count, sizeof *list.tasks, by_id);
  fprintf(file, "neap: %zu tasks, %llu failed, %llu overruns\n", list.count,
          (unsigned long long)host->failures,
          (unsigned long long)host->overruns);
  fprintf(file, "%6s  %-8s %9s  %-10s %-16s %-17s  %s\n", "id", "state", "age",
          "waits for", "name", "owner", "where");
  for (size_t i = 0; i < list.count; i++)
    print_task(file, list.tasks[i], running);
  fflush(file);
  free(list.tasks);
}

/* ---- to Lua -------------------------------------------------------------- */

static void set_origin(lua_State *L, const char *field, struct origin origin) {
  if (origin.source == NULL) return;
  lua_pushfstring(L, "%s:%d", origin.source, origin.line);
  lua_setfield(L, -2, field);
}

static void push_task(lua_State *L, const struct task *task) {
  const char *what = waits_for(task);
  lua_createtable(L, 0, 12);
  lua_pushinteger(L, (lua_Integer)task->id);
  lua_setfield(L, -2, "id");
  lua_pushstring(L, task->name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, task_state_name(task));
  lua_setfield(L, -2, "state");
  lua_pushnumber(L, seconds_since(task, task->started));
  lua_setfield(L, -2, "age");
  lua_pushstring(L, owner_name(task));
  lua_setfield(L, -2, "owner");
  lua_pushinteger(L, (lua_Integer)task->work.owner->generation->id);
  lua_setfield(L, -2, "generation");
  lua_pushinteger(L, (lua_Integer)task->parent);
  lua_setfield(L, -2, "parent");
  set_origin(L, "where", where(task, L));
  set_origin(L, "started", task->origin);
  if (what == NULL) return;
  lua_pushstring(L, what);
  lua_setfield(L, -2, "waits");
  lua_pushnumber(L, seconds_since(task, task->since));
  lua_setfield(L, -2, "waited");
}

/* The array is a userdata, so that an error on the way loses nothing. Making
 * tables may run finalizers, but no finalizer starts or ends a task. */
void task_list_push(lua_State *L) {
  struct host *host = host_of(L);
  struct list list = {NULL, 0};
  add_all(&list, host);
  list.tasks = lua_newuserdatauv(L, (list.count + 1) * sizeof *list.tasks, 0);
  lua_createtable(L, (int)list.count, 0);
  add_all(&list, host);
  qsort(list.tasks, list.count, sizeof *list.tasks, by_id);
  for (size_t i = 0; i < list.count; i++) {
    push_task(L, list.tasks[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_remove(L, -2);
}

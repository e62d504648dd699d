/* generation.c - the life of a version of the program, and the switch.
 * In the registry each has a table of its slots, under its own address. */
#include "host/generation.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>

#include "host/host.h"
#include "host/realm.h"
#include "host/task.h"
#include "host/wait.h"

static void link_in(struct host *host, struct generation *generation) {
  generation->next = host->generations;
  generation->link = &host->generations;
  if (generation->next != NULL) generation->next->link = &generation->next;
  host->generations = generation;
}

static int open_slots(lua_State *L) { /* generation, open */
  lua_createtable(L, GENERATION_SLOTS, 0);
  for (int slot = GENERATION_REALM; slot <= GENERATION_SLOTS; slot++) {
    lua_pushboolean(L, 0);
    lua_rawseti(L, -2, slot);
  }
  realm_new(L, lua_tocfunction(L, 2));
  lua_rawseti(L, -2, GENERATION_REALM);
  lua_rawsetp(L, LUA_REGISTRYINDEX, lua_touserdata(L, 1));
  return 0;
}

struct generation *generation_new(lua_State *L, lua_CFunction open) {
  struct host *host = host_of(L);
  struct generation *generation = calloc(1, sizeof *generation);
  if (generation == NULL) luaL_error(L, "not enough memory");
  lua_pushcfunction(L, open_slots);
  lua_pushlightuserdata(L, generation);
  lua_pushcfunction(L, open);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    free(generation);
    lua_error(L);
  }
  generation->host = host;
  generation->id = host->next_generation_id++;
  generation->background.generation = generation;
  generation->background.last = &generation->background.first;
  link_in(host, generation);
  return generation;
}

void generation_get(lua_State *L, const struct generation *generation,
                    enum generation_slot slot) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, generation);
  lua_rawgeti(L, -1, slot);
  lua_remove(L, -2);
}

void generation_set(lua_State *L, const struct generation *generation,
                    enum generation_slot slot) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, generation);
  lua_insert(L, -2);
  lua_rawseti(L, -2, slot);
  lua_pop(L, 1);
}

void generation_push_notes(lua_State *L, const struct generation *generation) {
  generation_get(L, generation, GENERATION_NOTES);
  if (lua_istable(L, -1)) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  generation_set(L, generation, GENERATION_NOTES);
}

struct generation *generation_here(lua_State *L) {
  const struct host *host = host_of(L);
  return host->current != NULL ? host->current->work.owner->generation
                               : host->root;
}

void generation_enter(struct generation *generation) {
  struct host *host = generation->host;
  lua_State *L = host->L;
  if (host->entered == generation) return;
  generation_get(L, host->entered, GENERATION_REALM);
  generation_get(L, generation, GENERATION_REALM);
  realm_exchange(L, -2, -1);
  lua_pop(L, 2);
  host->entered = generation;
}

/* ---- steps --------------------------------------------------------------- */

/* They leave at once: the list goes with the generation. */
static void wake_list(struct task *const *list) {
  while (*list != NULL) {
    struct task *task = *list;
    task_wake(task, 0);
    wait_leave(task);
  }
}

static void wake_all(struct generation *generation) {
  wake_list(&generation->waiters);
}

void generation_tell(struct generation *generation) {
  wake_list(&generation->listeners);
}

void generation_set_ready(struct generation *generation) {
  generation->ready = true;
  wake_all(generation);
}

void generation_end_main(struct generation *generation, bool returned) {
  generation->over = true;
  if (returned) generation->ready = true;
  wake_all(generation);
}

int generation_refuse(lua_State *L, const char *text) {
  struct generation *generation = generation_here(L);
  if (host_of(L)->current->lent) return luaL_error(L, "%s", text);
  generation_get(L, generation, GENERATION_WHY);
  if (!lua_isstring(L, -1)) { /* the first reason counts */
    luaL_traceback(L, L, text, 0);
    generation_set(L, generation, GENERATION_WHY);
  }
  wake_all(generation);
  return wait_end_here(L);
}

/* ---- the end ------------------------------------------------------------- */

static void stop(struct work *work, void *data) {
  (void)data;
  work_stop(work);
}

static void stop_unless_it_lasts(struct work *work, void *data) {
  (void)data;
  if (!work->kind->lasts) work_stop(work);
}

void generation_check_end(struct generation *generation) {
  struct host *host = generation->host;
  if (generation->state != GENERATION_RETIRED || generation->ending) return;
  if (generation->owners != NULL) return;
  if (generation->background.first != NULL) {
    owner_each(&generation->background, stop, NULL);
    return;
  }
  generation->ending = true;
  generation->next_ended = host->ended;
  host->ended = generation;
}

static int spawn_dispose(lua_State *L) { /* function, generation */
  struct generation *generation = lua_touserdata(L, 2);
  lua_settop(L, 1);
  task_spawn_as(L, 0, &generation->background)->name = "dispose";
  return 0;
}

/* True: there is something to run first, and so work again. Between tasks, so
 * lack of memory must be caught: then it cannot be run. */
static bool dispose(struct generation *generation) {
  lua_State *L = generation->host->L;
  lua_pushcfunction(L, spawn_dispose);
  generation_get(L, generation, GENERATION_DISPOSE);
  if (!lua_isfunction(L, -1)) {
    lua_pop(L, 2);
    return false;
  }
  lua_pushboolean(L, 0);
  generation_set(L, generation, GENERATION_DISPOSE);
  lua_pushlightuserdata(L, generation);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}

static void end(struct generation *generation) {
  struct host *host = generation->host;
  if (dispose(generation)) return;
  if (host->entered == generation) generation_enter(host->root);
  if (host->live == generation) host->live = NULL;
  lua_pushnil(host->L);
  lua_rawsetp(host->L, LUA_REGISTRYINDEX, generation);
  *generation->link = generation->next;
  if (generation->next != NULL) generation->next->link = generation->link;
  wake_all(generation);
  free(generation);
}

void generation_reap(struct host *host) {
  while (host->ended != NULL) {
    struct generation *generation = host->ended;
    host->ended = generation->next_ended;
    generation->ending = false;
    if (generation->background.first == NULL && generation->owners == NULL)
      end(generation);
  }
}

void generation_free_all(struct host *host) {
  while (host->generations != NULL) {
    struct generation *generation = host->generations;
    host->generations = generation->next;
    free(generation);
  }
}

/* ---- the switch ---------------------------------------------------------- */

static void each_served(struct generation *generation, work_visit *visit,
                        void *data) {
  for (struct owner *owner = generation->owners, *next; owner != NULL;
       owner = next) {
    next = owner->next;
    owner_each(owner, visit, data);
  }
}

void generation_each_work(struct host *host, work_visit *visit, void *data) {
  for (struct generation *g = host->generations; g != NULL; g = g->next) {
    each_served(g, visit, data);
    owner_each(&g->background, visit, data);
  }
}

static void drain(struct work *work, void *data) {
  (void)data;
  work_drain(work);
}

static bool is_used(const struct generation *generation) {
  if (owner_is_used(&generation->background)) return true;
  for (const struct owner *o = generation->owners; o != NULL; o = o->next)
    if (owner_is_used(o)) return true;
  return false;
}

void generation_settle(struct host *host) {
  if (host->phase != HOST_DRAINING) return;
  for (struct generation *g = host->generations; g != NULL; g = g->next)
    if (is_used(g)) return;
  host->is_settled = true;
  for (struct generation *g = host->generations; g != NULL; g = g->next) {
    each_served(g, drain, NULL);
    owner_each(&g->background, stop, NULL);
  }
}

void generation_retire(struct generation *generation, bool all) {
  if (generation->host->live == generation) generation->host->live = NULL;
  generation->state = GENERATION_RETIRED;
  generation_tell(generation);
  owner_each(&generation->background, stop_unless_it_lasts, NULL);
  if (all) each_served(generation, stop, NULL);
  generation_check_end(generation);
}

void generation_drain(struct generation *generation) {
  generation_tell(generation);
  owner_each(&generation->background, stop_unless_it_lasts, NULL);
  each_served(generation, drain, NULL);
}

static int start_staged(struct owner *owner) {
  for (struct work *work = owner->first, *next; work != NULL; work = next) {
    next = work->next;
    if (!work->staged) continue;
    int status = work->kind->start(work);
    if (status < 0) return status;
    work->staged = false;
  }
  return 0;
}

int generation_commit(struct generation *generation) {
  struct host *host = generation->host;
  struct generation *old = host->live;
  assert(generation->state == GENERATION_PREPARING);
  int status = start_staged(&generation->background);
  if (status < 0) return status; /* the caller retires the new one */
  generation->state = GENERATION_LIVE;
  host->live = generation;
  if (old != NULL) generation_retire(old, false);
  host->live = generation;
  return 0;
}

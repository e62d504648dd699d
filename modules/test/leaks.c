/* leaks.c - tells the work that has begun since a moment from older work.
 *
 * A check is a bit. Where it begins, all the work there is gets it; what is
 * without it later has begun in between. So nothing is compared or kept, an
 * address that is used again deceives nobody, and who checks nothing pays
 * nothing. Checks may overlap, up to 16 of them. */
#include <lauxlib.h>

#include "host/generation.h"
#include "host/handle.h"
#include "host/host.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/test/test.h"

static const char taken_key = 0; /* in the registry: the bits in use */

static uint16_t get_taken(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &taken_key);
  uint16_t taken = (uint16_t)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return taken;
}

static void set_taken(lua_State *L, unsigned taken) {
  lua_pushinteger(L, taken);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &taken_key);
}

static uint16_t check_bit(lua_State *L) {
  lua_Integer bit = luaL_checkinteger(L, 1);
  luaL_argcheck(L, bit > 0 && bit <= UINT16_MAX, 1, "not a check");
  return (uint16_t)bit;
}

/* ---- begin and end ------------------------------------------------------- */

static void mark(struct work *work, void *data) {
  work->known |= *(const uint16_t *)data;
}

static void unmark(struct work *work, void *data) {
  work->known &= (uint16_t) ~*(const uint16_t *)data;
}

/* leaks_begin() -> bit */
static int leaks_begin(lua_State *L) {
  uint16_t taken = get_taken(L);
  uint16_t bit = (uint16_t)(~taken & (taken + 1));
  if (bit == 0) return luaL_error(L, "16 checks for leaks are under way");
  set_taken(L, taken | bit);
  generation_each_work(host_of(L), mark, &bit);
  lua_pushinteger(L, bit);
  return 1;
}

static int leaks_end(lua_State *L) {
  uint16_t bit = check_bit(L);
  generation_each_work(host_of(L), unmark, &bit);
  set_taken(L, get_taken(L) & ~(unsigned)bit);
  return 0;
}

/* ---- the list ------------------------------------------------------------ */

struct search {
  lua_State *L; /* the list lies on top */
  const struct host *host;
  uint16_t bit;
  uint16_t stop; /* of the check that began when this one was stopped, or 0 */
};

static void set_text(lua_State *L, const char *key, const char *text) {
  if (text == NULL) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

static void set_line(lua_State *L, const char *key, struct origin origin) {
  if (origin.source == NULL) return;
  lua_pushfstring(L, "%s:%d", origin.source, origin.line);
  lua_setfield(L, -2, key);
}

static void push_task(lua_State *L, const struct task *task) {
  struct origin here = task->origin;
  bool waits = task->state == TASK_WAITING;
  if (waits && task->begun) here = origin_of(task->host, task->waiting);
  lua_createtable(L, 0, 5);
  set_text(L, "kind", "task");
  set_text(L, "name", task->name);
  set_text(L, "waits", waits && task->wait != NULL ? task->wait->name : NULL);
  set_line(L, "where", here);
  set_line(L, "started", task->origin);
}

static void push_other(lua_State *L, const struct work *work,
                       struct origin origin) {
  lua_createtable(L, 0, 2);
  set_text(L, "kind", work->kind->name);
  set_line(L, "where", origin);
}

/* What has no line belongs to other work, which has. */
static struct origin origin_of_work(const struct work *work) {
  if (work->kind->origin != NULL) return work->kind->origin(work);
  if (handle_is(work)) {
    const struct handle *h = (const struct handle *)work;
    if (!h->closing && !h->ended) return h->origin;
  }
  return (struct origin){NULL, 0};
}

static bool is_of_host(const struct work *work, const struct host *host) {
  return work->owner == &host->root->background ||
         work == (const struct work *)host->current;
}

static void add(struct work *work, void *data) {
  const struct search *search = data;
  lua_State *L = search->L;
  if ((work->known & search->bit) != 0) return;
  if ((work->known & search->stop) != search->stop) return;
  if (is_of_host(work, search->host)) return;
  if (task_is(work)) {
    push_task(L, (const struct task *)work);
  } else {
    struct origin origin = origin_of_work(work);
    if (origin.source == NULL) return;
    push_other(L, work, origin);
  }
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* leaks_list(bit, stop) -> { { kind =, where =, name =, waits =, started = }, ... }.
 * Making tables may run finalizers, but these end no work, they only begin to
 * close it. */
static int leaks_list(lua_State *L) {
  uint16_t stop = (uint16_t)luaL_optinteger(L, 2, 0);
  struct search search = {L, host_of(L), check_bit(L), stop};
  lua_newtable(L);
  generation_each_work(host_of(L), add, &search);
  return 1;
}

const luaL_Reg test_leaks[] = {
  {"leaks_begin", leaks_begin},
  {"leaks_end", leaks_end},
  {"leaks_list", leaks_list},
  {NULL, NULL},
};

/* generation.h - one version of the program: its realm, its work, its end.
 *
 * PREPARING  its main chunk runs beside the live one; what it starts is staged
 * LIVE       at most one, besides the root
 * RETIRED    replaced, or failed: its background was stopped, what serves a
 *            connection drains
 * (dead)     no work is left: the realm is dropped, the collector has it
 *
 * The root generation owns the host's own tasks and is never replaced. */
#ifndef HOST_GENERATION_H
#define HOST_GENERATION_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/owner.h"

struct host;

enum generation_state {
  GENERATION_PREPARING,
  GENERATION_LIVE,
  GENERATION_RETIRED
};

struct generation {
  struct host *host;
  struct generation *next, **link; /* in host->generations */
  struct generation *next_ended;   /* in host->ended */
  struct owner background;
  struct owner *owners; /* the connections and requests it serves */
  uint64_t id;
  enum generation_state state;
  struct task *waiters;   /* for the next of the steps that follow */
  struct task *listeners; /* for its end, and for what is told to it */
  bool ready;  /* its main chunk has returned, or called neap.ready() */
  bool over;   /* its main chunk has ended, however */
  bool ending; /* in host->ended */
};

/* A new one, PREPARING. May raise; then nothing has changed. */
struct generation *generation_new(lua_State *L, lua_CFunction open);
void generation_enter(struct generation *generation); /* its realm, in place */

/* Values it keeps in Lua, and that go with it. */
enum generation_slot {
  GENERATION_REALM = 1,
  GENERATION_DISPOSE,  /* a function to run after its last work */
  GENERATION_ON_ERROR, /* the function given to neap.on_error */
  GENERATION_WHY,      /* a text: why it cannot go live */
  GENERATION_NOTES,    /* a table: what was read for it, see chunk.h, hot.lua */
  GENERATION_SLOTS = GENERATION_NOTES
};
void generation_get(lua_State *L, const struct generation *generation,
                    enum generation_slot slot); /* pushes it, false: none */
void generation_set(lua_State *L, const struct generation *generation,
                    enum generation_slot slot); /* pops it */

/* Pushes its notes, a table. May raise. */
void generation_push_notes(lua_State *L, const struct generation *generation);
/* Of the code that runs: that of the running task. */
struct generation *generation_here(lua_State *L);

/* The steps of its life that somebody may wait for, in generation->waiters. */
void generation_set_ready(struct generation *generation);
void generation_end_main(struct generation *generation, bool returned);
/* While it is being prepared: it will not go live, for the reason `text`; the
 * running task, which is one of it, ends here. Does not return. */
int generation_refuse(lua_State *L, const char *text);

/* One turn, all or nothing: a status below 0 says that nothing has changed. */
int generation_commit(struct generation *generation);
/* Stops its background; with `all` also what serves connections. */
void generation_retire(struct generation *generation, bool all);
/* Asks its background to end now, and what it serves to end when idle; not yet
 * what lasts. */
void generation_drain(struct generation *generation);
/* While the program drains: if nothing is left, of any version, that may use what
 * lasts, that ends too. (Whose it is does not tell who uses it: requests share
 * connections that one of them has made.) */
void generation_settle(struct host *host);

/* Wakes its listeners. It is called by itself when the generation is retired, or
 * asked to end. */
void generation_tell(struct generation *generation);

/* For every work of all generations; `visit` may end what it is given. */
void generation_each_work(struct host *host, work_visit *visit, void *data);

void generation_check_end(struct generation *generation);
void generation_reap(struct host *host); /* between tasks: ends the ended */
void generation_free_all(struct host *host);

#endif

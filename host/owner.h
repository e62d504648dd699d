/* owner.h - who work is done for, and all the work that is done for it.
 *
 * Every task, timer and open handle is work of an owner: of the background of
 * a generation, or of the connection or request it serves. What work starts
 * has the same owner and, under `neap test`, is of the same spec. So a reload or
 * a shutdown knows exactly what to stop, what to let finish, and when the last
 * of it has ended. */
#ifndef HOST_OWNER_H
#define HOST_OWNER_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/origin.h"

struct generation;
struct host;
struct work;

struct work_kind {
  const char *name;
  void (*stop)(struct work *work); /* end it now; it may take a turn */
  /* End it once it is idle. NULL: stop it, unless it lasts. */
  void (*drain)(struct work *work);
  int (*start)(struct work *work); /* it was staged: begin, see generation.h */
  /* The line that made it; NULL: it is a task, a handle, or part of one. */
  struct origin (*origin)(const struct work *work);
  bool lasts; /* what others may use: it ends after them, see generation.h */
};

struct work { /* first member of whatever an owner owns */
  const struct work_kind *kind;
  struct owner *owner;
  struct work *next, **link; /* in owner->first */
  bool staged;
  bool inherits;  /* it goes on with something of the version before */
  uint16_t known; /* a bit for each check for leaks that began after it */
  uint32_t spec;  /* which one it is of, under `neap test`; else 0 */
};

struct owner {
  struct generation *generation;
  struct owner *next, **link; /* in generation->owners; link NULL: its own */
  struct work *first, **last; /* oldest first */
};

/* For a connection or a request: gone when its last work has ended, so give it
 * some at once. NULL without memory. */
struct owner *owner_new(struct generation *generation);
void owner_drop(struct owner *owner); /* one that never had work */
bool owner_is_background(const struct owner *owner);
/* What it starts now is to begin at the commit of its generation. */
bool owner_is_staged(const struct owner *owner);
/* Of what the running code starts. Raises where it may start nothing. */
struct owner *owner_here(lua_State *L);
/* There is more of it than what lasts. */
bool owner_is_used(const struct owner *owner);
/* For every work of it; `visit` may end the work that it is given. */
typedef void work_visit(struct work *work, void *data);
void owner_each(struct owner *owner, work_visit *visit, void *data);

void work_begin(struct work *work, const struct work_kind *kind,
                struct owner *owner);
void work_end(struct work *work);
void work_move(struct work *work, struct owner *owner); /* a new owner */
void work_stop(struct work *work);
void work_drain(struct work *work);

#endif

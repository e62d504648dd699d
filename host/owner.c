/* owner.c - work is linked into its owner, an owner into its generation. */
#include "host/owner.h"

#include <assert.h>
#include <lauxlib.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/task.h"

struct owner *owner_new(struct generation *generation) {
  struct memory *memory = &generation->host->memory;
  struct owner *owner = memory_allocate(memory, NULL, 0, sizeof *owner);
  if (owner == NULL) return NULL;
  *owner = (struct owner){.generation = generation};
  owner->last = &owner->first;
  owner->next = generation->owners;
  owner->link = &generation->owners;
  if (owner->next != NULL) owner->next->link = &owner->next;
  generation->owners = owner;
  return owner;
}

bool owner_is_background(const struct owner *owner) {
  return owner->link == NULL;
}

bool owner_is_staged(const struct owner *owner) {
  return owner_is_background(owner) &&
         owner->generation->state == GENERATION_PREPARING;
}

struct owner *owner_here(lua_State *L) {
  struct host *host = host_of(L);
  if (host->phase == HOST_STOPPING) luaL_error(L, "the program is ending");
  if (host_in_finalizer(L))
    luaL_error(L, "a finalizer cannot wait, nor start anything");
  if (host->current == NULL) return &host->root->background;
  struct owner *owner = host->current->work.owner;
  if (owner_is_background(owner) &&
      owner->generation->state >= GENERATION_RETIRED)
    luaL_error(L, "this version of the program has been replaced");
  return owner;
}

void owner_each(struct owner *owner, work_visit *visit, void *data) {
  for (struct work *work = owner->first, *next; work != NULL; work = next) {
    next = work->next;
    visit(work, data);
  }
}

static void link_last(struct work *work, struct owner *owner) {
  work->owner = owner;
  work->next = NULL;
  work->link = owner->last;
  *owner->last = work;
  owner->last = &work->next;
}

static void unlink_from(struct work *work, struct owner *owner) {
  assert(work->link != NULL);
  *work->link = work->next;
  if (work->next != NULL)
    work->next->link = work->link;
  else
    owner->last = work->link;
  work->link = NULL;
}

void work_begin(struct work *work, const struct work_kind *kind,
                struct owner *owner) {
  const struct host *host = owner->generation->host;
  const struct task *starter = host->current;
  *work = (struct work){
    .kind = kind, .spec = starter != NULL ? starter->work.spec : host->spec};
  link_last(work, owner);
}

void owner_drop(struct owner *owner) {
  struct generation *generation = owner->generation;
  if (!owner_is_background(owner)) {
    *owner->link = owner->next;
    if (owner->next != NULL) owner->next->link = owner->link;
    memory_allocate(&generation->host->memory, owner, sizeof *owner, 0);
  }
  generation_check_end(generation);
}

bool owner_is_used(const struct owner *owner) {
  for (const struct work *work = owner->first; work != NULL; work = work->next)
    if (!work->kind->lasts) return true;
  return false;
}

void work_end(struct work *work) {
  struct owner *owner = work->owner;
  struct host *host = owner->generation->host;
  bool lasts = work->kind->lasts;
  unlink_from(work, owner);
  if (owner->first == NULL) owner_drop(owner);
  if (!lasts) generation_settle(host); /* perhaps nothing uses the rest */
}

void work_move(struct work *work, struct owner *owner) {
  struct owner *old = work->owner;
  unlink_from(work, old);
  link_last(work, owner);
  if (old->first == NULL) owner_drop(old);
}

void work_stop(struct work *work) {
  work->kind->stop(work);
}

void work_drain(struct work *work) {
  if (work->kind->drain != NULL)
    work->kind->drain(work);
  else if (!work->kind->lasts || work->owner->generation->host->is_settled)
    work->kind->stop(work);
}

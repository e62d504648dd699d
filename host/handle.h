/* handle.h - a libuv handle in C memory, and the Lua box that stands for it.
 *
 * The ownership rule: libuv only ever touches C memory. Lua holds a box, a
 * userdata with one pointer, that may be collected at any time; that closes
 * the handle (a leak, unless the handle is `rooted`: a server lives on without
 * its box). The memory goes when libuv has let go of it and nobody uses it. */
#ifndef HOST_HANDLE_H
#define HOST_HANDLE_H

#include <stdbool.h>
#include <uv.h>

#include "host/class.h"
#include "host/origin.h"
#include "host/owner.h"

struct host;

struct handle {     /* first member of every handle struct */
  struct work work; /* of its owner, until libuv has let go */
  struct host *host;
  uv_handle_t *uv;                    /* points into the same memory */
  void (*on_close)(struct handle *h); /* wake those who wait, or NULL */
  void (*end)(struct handle *h);      /* close in good order; NULL: at once */
  void (*on_free)(struct handle *h);  /* nobody uses it any more, or NULL */
  int (*descriptor)(const struct handle *h); /* a child may have it, or NULL */
  struct origin origin;                      /* the line that created it */
  int users; /* the box, libuv, tasks that use it */
  bool rooted;
  bool ended;   /* by the script: using it again is an error */
  bool closing; /* libuv is letting go, whoever wanted that */
};

struct box {
  struct handle *handle; /* NULL while it is being made */
};

/* NULL if there is no memory. The uv_*_init comes next, then handle_open; a
 * handle whose init has failed is simply freed. */
void *handle_new(struct host *host, size_t size);
void handle_open(struct handle *h, void *uv, const struct work_kind *kind,
                 struct owner *owner);
/* Pushes a box for what is made next, so that nothing can raise between them. */
struct box *handle_push_empty_box(lua_State *L, const char *name, int values);
void handle_fill_box(struct box *box, struct handle *h);
/* Pushes a new box, with `values` user values. Raises only before the handle
 * is changed. */
void handle_push_box(lua_State *L, struct handle *h, const char *name,
                     int values);
/* A class of boxes, see class.h: it also gets __gc and __close. */
void handle_class(lua_State *L, const char *name, const luaL_Reg *methods,
                  const struct class_field *fields);
/* Raises for what the script itself has closed. */
void *handle_check(lua_State *L, int index, const char *name);
/* Whatever its state. */
void *handle_check_any(lua_State *L, int index, const char *name);
void handle_use(struct handle *h);
void handle_leave(struct handle *h);
void handle_close(struct handle *h); /* at once; idempotent */
void handle_end(struct handle *h);   /* as the script would; idempotent */

/* A box of any class at this index: its handle, NULL once it is collected. */
bool handle_is_box(lua_State *L, int index);
struct handle *handle_check_box(lua_State *L, int index);

void handle_stop(struct work *work); /* for a struct work_kind */
bool handle_is(const struct work *work);
int handle_method_close(lua_State *L); /* for a list of methods */
int handle_method_unref(lua_State *L); /* it keeps no program alive */
int handle_field_closed(lua_State *L); /* for a list of fields */

#endif

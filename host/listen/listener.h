/* listener.h - what listens at an address, and goes on doing so when the program
 * is replaced.
 *
 * A module that serves connections gives a struct listener_kind, and a struct
 * that begins with a struct listener; its function is three steps: check the
 * arguments, listener_open, listener_begin.
 *
 * What always holds: there is one queue of the system for an address, from the
 * first version that listens there to the last; a version that is being
 * prepared has a copy of the descriptor and does not accept. Every listener that
 * accepts has a service (service.h). Its handler is let go when it is closed
 * and nobody is left who may call it. */
#ifndef HOST_LISTEN_LISTENER_H
#define HOST_LISTEN_LISTENER_H

#include <uv.h>

#include "host/address.h"
#include "host/handle.h"
#include "host/listen/service.h"
#include "host/wheel.h"

struct listener;

struct listener_kind {
  /* .stop = handle_stop, .start = listener_start; the name is "server" for what
   * reports and lists call one. */
  struct work_kind work; /* first member */
  const char *class_name;
  size_t size; /* of the struct that begins with the struct listener */
  /* Takes the descriptor, in any case: what cannot be served is closed. The peer
   * is AF_UNSPEC or AF_UNIX where it has no address. No Lua. */
  void (*accept)(struct listener *listener, int fd,
                 const struct sockaddr *peer);
  /* Of listeners that share: its service is over, or it is served otherwise
   * than before: what is to be done for this connection? No Lua. */
  void (*pump)(struct served *served);
  /* Must all connections be pumped that go from one to the other? NULL: none. */
  bool (*differs)(const struct listener *old, const struct listener *heir);
  /* It has been closed, while the program goes on: whom it serves it may serve
   * to the end. NULL: nothing is to be done. No Lua. */
  void (*closed)(struct listener *listener);
  /* When the program drains, whoever has connected by then is accepted; else
   * they are reset. */
  bool last_call;
};

struct listener {
  struct handle handle; /* first member */
  const struct listener_kind *kind;
  uv_poll_t poll;          /* somebody waits to be accepted */
  int fd;                  /* that listens */
  int reserve;             /* a descriptor for when there is no other, or -1 */
  struct timeout pause;    /* it cannot accept now */
  struct service *service; /* NULL: that of another, before or after it */
  struct service
    *adopts;   /* it is to follow the listener of this one, or NULL */
  int handler; /* a reference to what serves the connections */
  int callers; /* connections and services that may call it */
  bool shares; /* its connections can be served by the next one of its kind */
  bool is_unix;
  uint64_t last_shed; /* when a full table of files was last reported, ms */
  char asked[ADDRESS_TEXT];
};

/* A new one, which has not begun: 0, with its box pushed, or one of libuv's
 * errors, with nothing pushed. What follows the struct listener is zero: the
 * caller fills it. The line that called is its origin. May raise. */
int listener_open(lua_State *L, const struct listener_kind *kind,
                  const struct address *address, bool shares,
                  struct listener **result);
/* The value at `index` is its handler. It accepts from now on, or from the
 * commit of its version on. 0, or an error: then it has been closed. */
int listener_begin(lua_State *L, struct listener *listener, int index);
/* One without an address: it accepts nobody, and serves whoever is handed to
 * its kind's `accept`, in this process. It ends with its version, has no box and
 * keeps no program alive. The value at `index` is its handler. NULL: there is
 * no descriptor for it, or no memory. */
struct listener *listener_open_private(lua_State *L,
                                       const struct listener_kind *kind,
                                       int index);
/* nil, "listen 127.0.0.1:80: address already in use", "EADDRINUSE": argument 1
 * is the address. */
int listener_error(lua_State *L, int status);

/* Who may call its handler. When it is closed and nobody is left it lets go of
 * that: a script may hold the server for longer, from the handler itself. */
void listener_use(struct listener *listener);
void listener_leave(struct listener *listener);
void listener_push_handler(lua_State *L, const struct listener *listener);

/* ---- for a kind ---------------------------------------------------------- */

int listener_start(struct work *work);
void listener_class(lua_State *L, const struct listener_kind *kind,
                    const luaL_Reg *methods, const struct class_field *fields);
int listener_field_address(lua_State *L); /* for a list of fields */

/* ---- for takeover.c ------------------------------------------------------ */

bool listener_is(const struct work *work);
/* Where it is bound. False: the system does not tell. */
bool listener_address(const struct listener *listener, char text[ADDRESS_TEXT]);

#endif

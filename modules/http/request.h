/* request.h - a request as its handler sees it.
 *
 * One userdata, with a copy of the head's bytes; a field becomes a Lua value
 * when it is asked for. While the request is being served its connection and it
 * point to each other, and the task's stack anchors it; after that `client` is
 * NULL, and what has not been read of the body is gone. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/stream/ends.h"
#include "modules/http/head.h"

struct client;
struct task;
struct unpacking;
struct upload;

enum body_use { BODY_UNUSED, BODY_WHOLE, BODY_PIECES };

struct body {          /* of a request, see arrival.c */
  struct task *reader; /* that waits for it, or NULL */
  enum body_use use;
  bool is_none; /* nothing comes of it: that can be read when it is over, too */
  struct unpacking *unpacking; /* it comes packed, or NULL: as it is */
  char *bytes; /* of BODY_WHOLE: what has come so far, or NULL */
  size_t size, capacity;
  uint64_t received, limit;
  uint64_t waited, since; /* for its bytes, without the wait that is on; ms */
  int status;             /* why there will be no more of it, or 0 */
};

struct request {
  struct client *client; /* NULL: it is over */
  uint64_t number;
  const char *id; /* that a script has given it, in its own table; or NULL */
  union peer peer;
  struct body body;
  struct upload *uploads; /* files that go with it, see forms/upload.h */
  struct task *writers;   /* that wait until the client takes more */
  uint64_t written;       /* of a response that is streamed */
  int64_t length;         /* that was announced for it, or -1 */
  bool is_chunked;
  bool
    is_sending; /* a file, and its socket takes no more, or a thread is at it */
  unsigned count; /* of pieces: target, name, value, name, value ... */
  uint32_t base;  /* so much of its path is that of mounts, see app/routing.c */
  uint32_t route; /* and so much of its route is theirs */
  uint8_t method, minor;
  bool has_own, has_params;   /* user values of it, see below */
  struct head_piece pieces[]; /* and behind them the bytes, see head.h */
};

/* A new one for what the connection has parsed; may raise. */
struct request *request_push(lua_State *L, struct client *client,
                             int class_ref);
int request_class(lua_State *L); /* its reference, for request_push */
void request_detach(struct request *request);          /* it has been served */
struct request *request_check(lua_State *L);           /* argument 1 */
struct request *request_test(lua_State *L, int index); /* or NULL */

/* Its target is piece 0; the names of its headers are the odd ones. */
const char *request_piece(const struct request *request, unsigned index,
                          size_t *size);
void request_push_piece(lua_State *L, const struct request *request,
                        unsigned index);

/* The id of the request with this number: "3f9a01c2-17". */
enum { REQUEST_ID = 129, REQUEST_DESCRIPTION = 256 };
void request_format_id(uint64_t number, char text[REQUEST_ID]);
/* The same, or the one that it has been given: what reports and answers say. */
const char *request_id(const struct request *request, char text[REQUEST_ID]);
/* "GET /hello (request 3f9a01c2-17)", or with the id that it has been given: for
 * reports. */
void request_describe(const struct request *request,
                      char text[REQUEST_DESCRIPTION]);

/* The table of what a script, or we, keep with the request at index 1. */
void request_push_own(lua_State *L);
/* What is kept under this name, of the request at index 1. False, and nothing is
 * pushed: it is nil. */
bool request_push_kept(lua_State *L, const char *name);
/* Takes the value on top, and keeps it with the request at index 1. */
void request_keep(lua_State *L, const char *name);
/* Its path, all of it: `base` is a part of it. */
const char *request_path(const struct request *request, size_t *size);
/* User values of it: the pattern of the route that it has come to, and what
 * stands for the names in that, once somebody has asked; see app/routing.c. */
enum { REQUEST_ROUTE = 2, REQUEST_PARAMS };

void request_open_class(lua_State *L);

#endif

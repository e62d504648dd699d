/* response.h - what a handler has returned, checked, and its head as bytes. */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct bytes;
struct content;
struct clock;

struct reply {     /* what the request and its connection ask for */
  bool keep_alive; /* may become false: the response says so */
  bool head_only;
  bool old; /* HTTP/1.0 */
};

struct response {
  int status;
  int headers, body, trailers, after; /* indices of the stack; 0: none */
  int handler;                        /* and of who has returned it */
  bool is_stream;  /* the body is to be called, or has chunks() */
  bool is_chunked; /* and is sent so */
  bool is_skipped; /* no body is wanted: it is only closed */
  const char *text;
  size_t size;             /* of the text, where it is no stream */
  struct content *content; /* that the text is of: to be closed; or NULL */
  int64_t length;          /* that is announced; -1: none */
};

/* The results begin at index `first`; the handler at index `handler` returned
 * them, given the request at index 1 (if it is 1, there is none). Raises where
 * they are no response. Pushes what it has to. */
struct response response_read(lua_State *L, int handler, int first);
/* Where the code of the handler begins: " (app.lua:12)", or "". */
void response_push_place(lua_State *L, int handler);
/* Raises: the handler has returned `what`. */
int response_refuse(lua_State *L, int handler, const char *what);
/* Up to the empty line. Raises for headers that cannot be sent. */
void response_add_head(struct bytes *bytes, const struct clock *clock,
                       struct response *response, struct reply *reply);

#endif

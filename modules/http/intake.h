/* intake.h - the bytes of a connection become requests: head, body, end, or a
 * refusal. No libuv and no Lua.
 *
 * llhttp reads the lines; what it lets through, and what several headers
 * mean together, is checked here, as RFC 9110 and 9112 have it for a server,
 * in doubt on the strict side: two readers that see different requests in
 * the same bytes are how requests are smuggled. It may come in any pieces: a
 * line is looked at when it is whole, so the result is always the same. */
#ifndef HTTP_INTAKE_H
#define HTTP_INTAKE_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modules/http/head.h"

enum intake_state {
  INTAKE_HEAD,   /* wants (more of) a head */
  INTAKE_BODY,   /* wants (more of) a body */
  INTAKE_END,    /* the request is whole */
  INTAKE_REFUSED /* see `refusal`; close after the answer */
};

struct intake_limits {
  uint32_t
    header_size; /* bytes of all lines of a head, and again of trailers */
  uint32_t target_size;
  uint32_t headers;
};

struct intake {
  llhttp_t parser;     /* first member */
  struct head *head;   /* NULL between requests */
  struct head **spare; /* where it is taken from */
  const struct intake_limits *limits;
  const char *why; /* it was refused, for a log: "more than one Host" */
  uint64_t length; /* of a body with Content-Length */
  uint64_t left;   /* bytes of the body, the chunk, or the lines being read */
  enum intake_state state;
  int refusal; /* 400 414 417 431 501 503 505, or 0 */
  bool has_body : 1, chunked : 1, expects_continue : 1, keep_alive : 1;
  uint8_t seen;  /* which headers, see fields.c */
  uint8_t phase; /* of a chunked body, see chunks.c */
  uint8_t count; /* bytes of blank lines; digits of a chunk's size */
  uint16_t extension, extensions; /* bytes of the chunk's, and of all of them */
};

void intake_init(struct intake *intake, const struct intake_limits *limits,
                 struct head **spare);

/* How many bytes were taken: all, but where the state is BODY or END now. */
size_t intake_head(struct intake *intake, const char *bytes, size_t size);

/* How many bytes were taken; the part of the body that was in them is
 * bytes[0, *decoded) now. Trailers go to the head. */
size_t intake_body(struct intake *intake, char *bytes, size_t size,
                   size_t *decoded);

/* After END: on to the next request. The head has been given back. */
void intake_next(struct intake *intake);

/* No byte of a request has come: blank lines before it do not count. */
bool intake_is_between(const struct intake *intake);

/* ---- for the parts of it ------------------------------------------------- */

/* Returns what llhttp wants of a callback that has failed. */
int intake_refuse(struct intake *intake, int status, const char *why);

#endif

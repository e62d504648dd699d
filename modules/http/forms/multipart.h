/* multipart.h - the bytes of a multipart/form-data body become parts. Pure C.
 *
 *   multipart_init(&parser, boundary, &limits);
 *   while ((event = multipart_next(&parser, &bytes, &size)) != MULTIPART_MORE)
 *     ...
 *
 * and so on with the next bytes, and multipart_finish when there are no more. They
 * may come in any pieces: the events are the same, but that data comes in more
 * of them. Time is linear in the bytes, whatever they are. */
#ifndef HTTP_FORMS_MULTIPART_H
#define HTTP_FORMS_MULTIPART_H

#include "modules/http/forms/part_head.h"

enum multipart_event {
  MULTIPART_MORE, /* all bytes have been taken */
  MULTIPART_PART, /* one begins: see `head` */
  MULTIPART_DATA, /* some of it: see `data` */
  MULTIPART_PART_END,
  MULTIPART_END,    /* all were there; what follows is thrown away */
  MULTIPART_REFUSED /* see `why` and `fault` */
};

enum {
  NEEDLE_MOST = 4 + BOUNDARY_MOST, /* CR LF "--" boundary */
  TAIL_MOST = 64                   /* "--", blanks, CR LF */
};

struct multipart {
  struct part_limits limits;
  struct part_head head; /* of the part that is read */
  struct slice data;     /* as long as the bytes that it came with */
  const char *why;
  enum multipart_fault fault;
  uint8_t state; /* see multipart.c */
  bool end_told, no_more;
  bool
    implied; /* the CR LF at the beginning of the match is none of the data */
  uint8_t needle_size;
  uint8_t matched;   /* bytes of the needle that have come, */
  uint8_t tail_size; /* and of what is behind it */
  char needle[NEEDLE_MOST], tail[TAIL_MOST];
  char held[NEEDLE_MOST + TAIL_MOST]; /* what has turned out to be data */
};

/* The boundary is one of content_type_boundary. */
void multipart_init(struct multipart *parser, struct slice boundary,
                    const struct part_limits *limits);
/* Takes bytes off the front, as many as the next event needs. */
enum multipart_event multipart_next(struct multipart *parser,
                                    const char **bytes, size_t *size);
/* No more bytes: what comes of that are the events that follow. */
void multipart_finish(struct multipart *parser);
void multipart_free(struct multipart *parser);

#endif

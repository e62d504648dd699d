/* lines.h - the lines of a head, and of trailers: what is in them, and what
 * makes them end a request. */
#ifndef HTTP_LINES_H
#define HTTP_LINES_H

#include "modules/http/intake.h"

/* The next line is the request line. */
void lines_begin(struct intake *intake);
/* The next line is the first one of trailers. */
void lines_begin_trailers(struct intake *intake);

/* Reads whole lines, which go, or are, behind head->read. True: the empty line
 * that ends them was there, after *used bytes. */
bool lines_read(struct intake *intake, const char *lines, size_t size,
                size_t *used);

/* While lines are read: the target that was among them, or among earlier ones.
 */
const char *lines_target(const struct intake *intake, size_t *size);

/* Is there a byte that may be in no line? */
bool lines_have_control(const char *bytes, size_t size);
/* How many bytes may come from head->begin on, until a line ends? */
size_t lines_limit(const struct intake *intake);
/* There are so many, from `line` on (it may be all of them), and no end. */
void lines_refuse_long(struct intake *intake, const char *line, size_t size);

#endif

/* date.h - the time in a response, as text that is made once a second. */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <stddef.h>

struct clock;

/* "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 20:00:00 GMT\r\n": how most
 * responses begin, in one piece. The line of the date alone begins at: */
enum { DATE_AT = sizeof "HTTP/1.1 200 OK\r\n" - 1 };
const char *date_begin(const struct clock *clock, size_t *size);

#endif

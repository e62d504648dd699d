/* refusal.h - whole answers for requests that no handler has answered. */
#ifndef HTTP_REFUSAL_H
#define HTTP_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

struct clock;

struct refusal {
  int status;
  const char *why;  /* its text; NULL: that of the status */
  const char *id;   /* of the request, or NULL */
  bool keeps_alive; /* else the connection is closed after it */
  bool head_only;
};

enum { REFUSAL_MOST = 512 };
/* Returns its size. */
size_t refusal_format(char text[REFUSAL_MOST], const struct clock *clock,
                      const struct refusal *refusal);

/* "Not Found"; "" for what RFC 9110 does not know. */
const char *refusal_reason(int status);

#endif

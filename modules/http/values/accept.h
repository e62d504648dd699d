/* accept.h - which of what we offer a client likes best: Accept and
 * Accept-Encoding (RFC 9110, 12.4 and 12.5).
 *
 *   static const char *const offers[] = {"br", "gzip", "identity"};
 *   int best = accept_best(ACCEPT_ENCODING, value, size, offers, 3);
 *
 * Every value means something: an element that is malformed is passed over, as
 * if it were not there. No value, however long, takes memory. */
#ifndef HTTP_VALUES_ACCEPT_H
#define HTTP_VALUES_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>

enum accept_kind { ACCEPT_TYPE, ACCEPT_ENCODING };

enum { ACCEPT_NONE = -1, ACCEPT_MOST = 2000 };

/* How much the client likes an offer: ACCEPT_MOST at most, 0 where it refuses
 * it. `value` is that of the header, lines of the same name joined with ", ";
 * NULL: there is none.
 *
 * Types: the most specific range decides. A client without the header, or with
 * none that can be read, takes all of them.
 *
 * Encodings: "identity" is taken unless it is refused, "identity;q=0" or
 * "*;q=0", and where it is not named or meant by "*" everything that is named is
 * better. A client without the header should be given it. "x-gzip" is gzip. */
unsigned accept_weight(enum accept_kind kind, const char *value, size_t size,
                       const char *offer, size_t offer_size);

/* The index of the best of `count` offers, of equals the first one; ACCEPT_NONE
 * where it refuses all of them. */
int accept_best(enum accept_kind kind, const char *value, size_t size,
                const char *const offers[], int count);

/* May it be offered: a type without "*", or a token? */
bool accept_is_offer(enum accept_kind kind, const char *offer, size_t size);

#endif

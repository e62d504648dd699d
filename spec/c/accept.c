/* accept.c - values of Accept and Accept-Encoding, and what is best then. */
#include "modules/http/values/accept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OFFERS = 4 };

struct row {
  const char *value; /* NULL: there is no such header */
  const char *offers[OFFERS];
  const char *best; /* NULL: none */
};

static const struct row encodings[] = {
  {NULL, {"br", "gzip", "identity"}, "identity"},
  {NULL, {"br", "gzip"}, "br"}, /* 12.5.3: any will do */
  {"", {"br", "gzip", "identity"}, "identity"},
  {"", {"br", "gzip"}, NULL},
  {"gzip", {"br", "gzip", "identity"}, "gzip"},
  {"gzip, deflate, br", {"br", "gzip", "identity"}, "br"},
  {"gzip, deflate, br", {"gzip", "br", "identity"}, "gzip"},
  {"GZip", {"gzip", "identity"}, "gzip"},
  {"gzip", {"GZIP"}, "GZIP"},
  {"x-gzip", {"gzip", "identity"}, "gzip"},
  {"x-compress", {"gzip", "compress"}, "compress"},
  {"gzipped", {"gzip", "identity"}, "identity"},
  /* weights */
  {"gzip;q=0.5, br;q=0.4", {"br", "gzip", "identity"}, "gzip"},
  {"gzip;q=0.5, br", {"gzip", "br", "identity"}, "br"},
  {"gzip;q=0.001", {"gzip", "identity"}, "gzip"},
  {"gzip;q=0", {"gzip", "identity"}, "identity"},
  {"gzip;q=0.000", {"gzip", "identity"}, "identity"},
  {"gzip;q=0.0001", {"gzip", "identity"}, "gzip"},
  {"gzip ; q=1.000 , br\t;\tq=0.9", {"br", "gzip"}, "gzip"},
  {"gzip;Q=0.1, br;q=.2", {"gzip", "br"}, "br"},
  {"identity, gzip;q=0.5", {"gzip", "identity"}, "identity"},
  {"gzip;level=9;q=0.5, br;q=0.6", {"gzip", "br"}, "br"},
  /* wildcards */
  {"*", {"br", "gzip", "identity"}, "br"},
  {"gzip;q=0.5, *", {"gzip", "identity"}, "identity"},
  {"*;q=0.5, gzip", {"identity", "br", "gzip"}, "gzip"},
  {"*;q=0", {"br", "gzip", "identity"}, NULL},
  {"*;q=0, gzip", {"br", "gzip", "identity"}, "gzip"},
  {"*;q=0, identity;q=0.1", {"br", "gzip", "identity"}, "identity"},
  {"br, *;q=0.5", {"gzip", "identity"}, "gzip"},
  /* identity */
  {"identity;q=0", {"br", "identity"}, NULL},
  {"identity;q=0, *", {"identity", "br"}, "br"},
  {"identity;q=0, br;q=0.1", {"identity", "br"}, "br"},
  {"identity;q=0.5, gzip;q=0", {"gzip", "identity"}, "identity"},
  {"compress", {"identity"}, "identity"},
  /* of two that say the same the better one */
  {"gzip;q=0, gzip;q=0.5", {"identity", "gzip"}, "gzip"},
  {"gzip;q=0.5, gzip;q=0", {"identity", "gzip"}, "gzip"},
  /* malformed: as if it were not there */
  {",,gzip,, ,", {"gzip", "identity"}, "gzip"},
  {"gzip;", {"gzip", "identity"}, "gzip"},
  {"gzip;q=", {"gzip", "identity"}, "identity"},
  {"gzip;q=x, br", {"gzip", "br"}, "br"},
  {"gzip;q=2", {"gzip", "identity"}, "identity"},
  {"gzip;q=1.001", {"gzip", "identity"}, "identity"},
  {"gzip;q=-1", {"gzip", "identity"}, "identity"},
  {"gzip;q=1;q=0", {"gzip", "identity"}, "identity"}, /* the last one */
  {"gzip;q=\"1\"", {"gzip", "identity"}, "identity"},
  {"gzip;q", {"gzip", "identity"}, "identity"},
  {"gzip;q=.", {"gzip", "identity"}, "identity"},
  {"gzip;q=0.5.5", {"gzip", "identity"}, "identity"},
  {"gzip; q = 0.5", {"gzip", "identity"}, "identity"},
  {"gz ip, (gzip), \"gzip\"", {"gzip", "identity"}, "identity"},
  {"gzip\xff, \x80", {"gzip", "identity"}, "identity"},
  {"a;b=\"gzip, br, gzip", {"gzip", "identity"}, "identity"},
  {"identity;q=wrong", {"identity"}, "identity"},
};

static const struct row types[] = {
  {NULL, {"text/html", "application/json"}, "text/html"},
  {"", {"text/html", "application/json"}, "text/html"},
  {" , ,", {"text/html"}, "text/html"},
  {"application/json", {"text/html", "application/json"}, "application/json"},
  {"application/json", {"text/html"}, NULL},
  {"Application/JSON", {"text/html", "application/json"}, "application/json"},
  {"text/html", {"Text/HTML"}, "Text/HTML"},
  {"text/plain;q=0.5, text/html", {"text/plain", "text/html"}, "text/html"},
  {"text/plain, text/html", {"text/plain", "text/html"}, "text/plain"},
  {"text/html;q=0", {"text/html"}, NULL},
  /* what Chrome, Firefox, Java and wget ask for */
  {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,"
   "image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
   {"application/json", "text/html"},
   "text/html"},
  {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
   {"application/json", "application/xml"},
   "application/xml"},
  {"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
   {"application/json", "image/gif"},
   "image/gif"},
  {"*/*", {"application/json", "text/html"}, "application/json"},
  /* wildcards, and the most specific one (12.5.1) */
  {"text/*", {"application/json", "text/html"}, "text/html"},
  {"text/*", {"application/json", "text", "textx/a"}, NULL},
  {"text/*;q=0.5, */*;q=0.1", {"image/png", "text/html"}, "text/html"},
  {"*/*, text/html;q=0.1", {"text/html", "image/png"}, "image/png"},
  {"text/*;q=0, */*", {"text/html", "image/png"}, "image/png"},
  {"text/*;q=0.9, text/html;q=0", {"text/html", "text/csv"}, "text/csv"},
  {"text/html;q=0, text/*;q=0.9", {"text/html", "text/csv"}, "text/csv"},
  {"text/*, text/plain, text/plain;format=flowed;q=0.2, */*",
   {"text/plain;format=flowed", "text/plain"},
   "text/plain"},
  /* parameters */
  {"text/html", {"text/html; charset=utf-8"}, "text/html; charset=utf-8"},
  {"text/html;level=1", {"text/html"}, NULL},
  {"text/html;level=1", {"text/html;level=2"}, NULL},
  {"text/html;level=1",
   {"text/html", "text/html; a=b; LEVEL=1"},
   "text/html; a=b; LEVEL=1"},
  {"text/html;charset=\"UTF-\\8\"",
   {"text/html;charset=utf-8"},
   "text/html;charset=utf-8"},
  {"text/html;a=\"x, */*;q=1\", image/png",
   {"application/json", "image/png"},
   "image/png"},
  {"text/html;q=0.3, text/html;level=1, */*;q=0.5",
   {"text/html", "image/png", "text/html;level=1"},
   "text/html;level=1"},
  /* the table of RFC 9110, 12.5.1 */
  {"text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
   "text/plain;format=fixed;q=0.4, */*;q=0.5",
   {"text/html", "image/jpeg", "text/plain", "text/plain;format=fixed"},
   "text/plain"},
  {"text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
   "text/plain;format=fixed;q=0.4, */*;q=0.5",
   {"text/plain;format=fixed", "text/html", "image/jpeg"},
   "image/jpeg"},
  /* malformed */
  {"text", {"text/html"}, "text/html"}, /* nothing that can be read */
  {"text, image/png", {"text/html"}, NULL},
  {"*/html, image/png", {"text/html"}, NULL},
  {"text/html/x, image/png", {"text/html"}, NULL},
  {"/, text/, /html, image/png", {"text/html"}, NULL},
  {"text/html;level, image/png", {"text/html"}, NULL},
  {"text/html;q=high, image/png", {"text/html"}, NULL},
  {"text/html;a=\"\\\"", {"text/csv"}, "text/csv"},
};

static int failed;

static void check(enum accept_kind kind, const struct row *row) {
  int count = 0;
  while (count < OFFERS && row->offers[count] != NULL) count++;
  size_t size = row->value == NULL ? 0 : strlen(row->value);
  char *value = NULL; /* of exactly its size: for the address sanitizer */
  if (row->value != NULL) value = memcpy(malloc(size + 1), row->value, size);
  if (value != NULL) value = realloc(value, size == 0 ? 1 : size);
  int best = accept_best(kind, value, size, row->offers, count);
  const char *got = best == ACCEPT_NONE ? NULL : row->offers[best];
  free(value);
  if (got == row->best) return;
  if (got != NULL && row->best != NULL && strcmp(got, row->best) == 0) return;
  fprintf(stderr, "\"%s\": expected %s, got %s\n",
          row->value == NULL ? "(none)" : row->value,
          row->best == NULL ? "none" : row->best, got == NULL ? "none" : got);
  failed++;
}

static void check_offer(enum accept_kind kind, const char *offer, bool valid) {
  if (accept_is_offer(kind, offer, strlen(offer)) == valid) return;
  fprintf(stderr, "offer \"%s\": should be %d\n", offer, valid);
  failed++;
}

static void check_offers(void) {
  check_offer(ACCEPT_TYPE, "text/html", true);
  check_offer(ACCEPT_TYPE, "application/problem+json", true);
  check_offer(ACCEPT_TYPE, "text/html; charset=utf-8", true);
  check_offer(ACCEPT_TYPE, "text/html; a=\"b, c\"", true);
  check_offer(ACCEPT_TYPE, "", false);
  check_offer(ACCEPT_TYPE, "html", false);
  check_offer(ACCEPT_TYPE, "text/*", false);
  check_offer(ACCEPT_TYPE, "*/*", false);
  check_offer(ACCEPT_TYPE, "text/html, text/plain", false);
  check_offer(ACCEPT_TYPE, "text/html;charset", false);
  check_offer(ACCEPT_ENCODING, "gzip", true);
  check_offer(ACCEPT_ENCODING, "", false);
  check_offer(ACCEPT_ENCODING, "*", false);
  check_offer(ACCEPT_ENCODING, "gzip, br", false);
  check_offer(ACCEPT_ENCODING, "gzip;q=1", false);
}

int main(void) {
  for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
    check(ACCEPT_ENCODING, &encodings[i]);
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    check(ACCEPT_TYPE, &types[i]);
  check_offers();
  return failed == 0 ? 0 : 1;
}

/* accept.c - weights, ranges and wildcards (RFC 9110, 12.4 and 12.5).
 *
 * A value is a list of elements, each a name (a range of types, a coding) with
 * parameters, of which "q" is the weight. For one offer the list is gone through
 * once, and of the elements that match the most specific one decides; of equals
 * the one that likes it best. Nothing is read beyond the value's end, and
 * nothing is kept. */
#include "modules/http/values/accept.h"

#include <string.h>
#include <strings.h>

#include "modules/http/fields.h"

enum { WEIGHT_ONE = 1000, MALFORMED = -1 };

struct text {
  const char *at, *end;
};

/* ---- its parts ----------------------------------------------------------- */

static struct text text_of(const char *bytes, size_t size) {
  return (struct text){bytes, bytes + size};
}

static size_t size_of(struct text text) {
  return (size_t)(text.end - text.at);
}

static bool alike(struct text one, struct text other) {
  return size_of(one) == size_of(other) &&
         strncasecmp(one.at, other.at, size_of(one)) == 0;
}

static bool is(struct text text, const char *word) {
  return alike(text, text_of(word, strlen(word)));
}

static bool is_space(char c) {
  return c == ' ' || c == '\t';
}

static struct text trim(struct text text) {
  while (text.at < text.end && is_space(*text.at)) text.at++;
  while (text.at < text.end && is_space(text.end[-1])) text.end--;
  return text;
}

/* Takes what stands before the next such byte, or the end, off the text; none
 * of those in quotes. */
static struct text take_until(struct text *text, char stop) {
  struct text part = {text->at, text->at};
  bool quoted = false;
  while (part.end < text->end && (quoted || *part.end != stop)) {
    if (*part.end == '"') quoted = !quoted;
    bool escapes = quoted && *part.end == '\\' && text->end - part.end > 1;
    part.end += escapes ? 2 : 1;
  }
  text->at = part.end < text->end ? part.end + 1 : text->end;
  return trim(part);
}

static bool is_token(struct text text) {
  return size_of(text) > 0 && fields_is_token(text.at, size_of(text));
}

/* ---- parameters ---------------------------------------------------------- */

struct parameter {
  struct text name, value; /* a value in quotes has them */
};

/* The first and the last are its quotes, and none of those between is. */
static bool is_quoted(struct text text) {
  if (size_of(text) < 2 || *text.at != '"') return false;
  const char *at = text.at + 1, *last = text.end - 1;
  while (at < last && *at != '"') at += *at == '\\' ? 2 : 1;
  return at == last && *at == '"';
}

/* Takes the next one off: 1, 0 (there is none) or MALFORMED. */
static int take_parameter(struct text *text, struct parameter *parameter) {
  while (text->at < text->end) {
    struct text part = take_until(text, ';');
    if (part.at == part.end) continue;
    const char *equals = memchr(part.at, '=', size_of(part));
    if (equals == NULL) return MALFORMED;
    parameter->name = (struct text){part.at, equals};
    parameter->value = (struct text){equals + 1, part.end};
    if (!is_token(parameter->name)) return MALFORMED;
    bool valid = is_token(parameter->value) || is_quoted(parameter->value);
    return valid ? 1 : MALFORMED;
  }
  return 0;
}

/* The next byte of a value, without its quotes and escapes; -1 at the end. */
static int next_byte(struct text *value, bool quoted) {
  if (quoted && value->at < value->end && *value->at == '\\') value->at++;
  return value->at < value->end ? (unsigned char)*value->at++ : -1;
}

static bool unquote(struct text *value) {
  if (size_of(*value) == 0 || *value->at != '"') return false;
  value->at++;
  value->end--;
  return true;
}

static int lower(int c) {
  return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

/* "utf-8" and "\"UTF-8\"" are the same. */
static bool same_value(struct text one, struct text other) {
  bool quoted = unquote(&one), other_quoted = unquote(&other);
  for (;;) {
    int c = next_byte(&one, quoted);
    if (lower(c) != lower(next_byte(&other, other_quoted))) return false;
    if (c < 0) return true;
  }
}

static bool has_parameter(struct text parameters, struct parameter wanted) {
  struct parameter parameter;
  while (take_parameter(&parameters, &parameter) > 0)
    if (alike(parameter.name, wanted.name) &&
        same_value(parameter.value, wanted.value))
      return true;
  return false;
}

/* "0.5" is 500; as many digits as it likes, and ".5", which some send. */
static int parse_weight(struct text text) {
  int weight = 0, unit = WEIGHT_ONE;
  bool rest = false;
  if (text.at < text.end && (*text.at == '0' || *text.at == '1'))
    weight = (*text.at++ - '0') * WEIGHT_ONE;
  else if (size_of(text) < 2)
    return MALFORMED;
  if (text.at < text.end && *text.at++ != '.') return MALFORMED;
  for (; text.at < text.end; text.at++) {
    int digit = *text.at - '0';
    if (digit < 0 || digit > 9) return MALFORMED;
    unit /= 10;
    weight += digit * unit;
    rest |= unit == 0 && digit > 0;
  }
  if (weight == 0 && rest) weight = 1; /* little is not nothing */
  return weight > WEIGHT_ONE ? MALFORMED : weight;
}

/* ---- elements ------------------------------------------------------------ */

struct element {
  struct text name, parameters; /* with the weight among them */
  int weight;
};

/* A type, or one with "*" for its second half, or for both; or "*" alone, which
 * Java sends. */
static bool is_range(struct text name) {
  if (is(name, "*")) return true;
  const char *slash = memchr(name.at, '/', size_of(name));
  if (slash == NULL) return false;
  struct text type = {name.at, slash}, subtype = {slash + 1, name.end};
  return is_token(type) && is_token(subtype) &&
         (!is(type, "*") || is(subtype, "*"));
}

static bool is_valid_name(enum accept_kind kind, struct text name) {
  return kind == ACCEPT_TYPE ? is_range(name) : is_token(name);
}

/* False: it is malformed. */
static bool parse_element(enum accept_kind kind, struct text text,
                          struct element *element) {
  element->name = take_until(&text, ';');
  element->parameters = text;
  element->weight = WEIGHT_ONE;
  if (!is_valid_name(kind, element->name)) return false;
  struct parameter parameter;
  int found;
  while ((found = take_parameter(&text, &parameter)) > 0) {
    if (!is(parameter.name, "q")) continue;
    element->weight = parse_weight(parameter.value);
    if (element->weight < 0) return false;
  }
  return found == 0;
}

/* Takes the next one that is not malformed off the list. */
static bool take_element(enum accept_kind kind, struct text *list,
                         struct element *element) {
  while (list->at < list->end) {
    struct text text = take_until(list, ',');
    if (parse_element(kind, text, element)) return true;
  }
  return false;
}

/* ---- what matches -------------------------------------------------------- */

enum { NO_MATCH, ANYTHING, SOME_TYPE, EXACT }; /* and one a parameter more */

/* "text/html" in "text/" and a star? */
static bool is_within(struct text type, struct text range) {
  size_t size = size_of(range) - 1;
  return range.end[-1] == '*' && range.end[-2] == '/' && size_of(type) > size &&
         strncasecmp(type.at, range.at, size) == 0;
}

static int match_type(const struct element *range, struct text offer) {
  struct text type = take_until(&offer, ';'), parameters = range->parameters;
  if (is(range->name, "*") || is(range->name, "*/*")) return ANYTHING;
  if (is_within(type, range->name)) return SOME_TYPE;
  if (!alike(type, range->name)) return NO_MATCH;
  int match = EXACT;
  struct parameter parameter;
  while (take_parameter(&parameters, &parameter) > 0) {
    if (is(parameter.name, "q")) continue;
    if (!has_parameter(offer, parameter)) return NO_MATCH;
    match++;
  }
  return match;
}

/* RFC 9110, 8.4.1: two have an older name. */
static struct text plain_coding(struct text name) {
  if (is(name, "x-gzip") || is(name, "x-compress")) name.at += 2;
  return name;
}

static int match_coding(const struct element *coding, struct text offer) {
  if (is(coding->name, "*")) return ANYTHING;
  bool same = alike(plain_coding(coding->name), plain_coding(offer));
  return same ? EXACT : NO_MATCH;
}

/* ---- accept.h ------------------------------------------------------------ */

/* Beside a header that says nothing of it. */
static unsigned implied_weight(enum accept_kind kind, struct text offer,
                               bool is_empty) {
  if (kind == ACCEPT_TYPE) return is_empty ? ACCEPT_MOST : 0;
  return is(offer, "identity") ? 1 : 0;
}

unsigned accept_weight(enum accept_kind kind, const char *value, size_t size,
                       const char *offer, size_t offer_size) {
  struct text offered = text_of(offer, offer_size);
  if (value == NULL) {
    bool first = kind == ACCEPT_TYPE || is(offered, "identity");
    return first ? ACCEPT_MOST : 1;
  }
  struct text list = text_of(value, size);
  struct element element;
  int best = NO_MATCH, weight = 0;
  bool is_empty = true;
  while (take_element(kind, &list, &element)) {
    is_empty = false;
    int match = kind == ACCEPT_TYPE ? match_type(&element, offered)
                                    : match_coding(&element, offered);
    if (match == NO_MATCH || match < best) continue;
    if (match > best || element.weight > weight) weight = element.weight;
    best = match;
  }
  if (best == NO_MATCH) return implied_weight(kind, offered, is_empty);
  return (unsigned)weight * (ACCEPT_MOST / WEIGHT_ONE);
}

int accept_best(enum accept_kind kind, const char *value, size_t size,
                const char *const offers[], int count) {
  int best = ACCEPT_NONE;
  unsigned most = 0;
  for (int i = 0; i < count; i++) {
    unsigned weight =
      accept_weight(kind, value, size, offers[i], strlen(offers[i]));
    if (weight <= most) continue;
    most = weight;
    best = i;
  }
  return best;
}

bool accept_is_offer(enum accept_kind kind, const char *offer, size_t size) {
  struct text text = text_of(offer, size);
  if (memchr(offer, '*', size) != NULL) return false;
  if (kind == ACCEPT_ENCODING) return is_token(text);
  struct element element;
  return take_until(&text, ',').end == offer + size &&
         parse_element(kind, text_of(offer, size), &element);
}

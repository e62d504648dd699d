/* conditions.c - entity tags before dates, If-Match before If-None-Match; a date
 * that is none is as if it were not there. */
#include "modules/http/values/conditions.h"

#include <string.h>

#include "modules/http/values/dates.h"

struct tag { /* what lies between the quotes */
  const char *text;
  size_t size;
  bool is_weak;
};

static bool is_tag_byte(char c) {
  unsigned char byte = (unsigned char)c;
  return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

/* How many bytes of the text are a tag; 0: it does not begin with one. */
static size_t read_tag(const char *text, size_t size, struct tag *tag) {
  size_t at = 0;
  tag->is_weak = size >= 2 && text[0] == 'W' && text[1] == '/';
  if (tag->is_weak) at = 2;
  if (at == size || text[at] != '"') return 0;
  size_t begin = ++at;
  while (at < size && is_tag_byte(text[at])) at++;
  if (at == size || text[at] != '"') return 0;
  tag->text = text + begin;
  tag->size = at - begin;
  return at + 1;
}

static bool is_same(const struct tag *a, const struct tag *b, bool strong) {
  if (strong && (a->is_weak || b->is_weak)) return false;
  return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t';
}

static struct value trim(struct value value) {
  while (value.size > 0 && is_space(value.text[0])) {
    value.text++;
    value.size--;
  }
  while (value.size > 0 && is_space(value.text[value.size - 1])) value.size--;
  return value;
}

bool conditions_list_has(const struct value *list, const struct value *etag,
                         bool strong) {
  struct value rest = trim(*list);
  struct tag own, tag;
  if (rest.size == 1 && rest.text[0] == '*') return true;
  if (etag->text == NULL || read_tag(etag->text, etag->size, &own) == 0)
    return false;
  while (rest.size > 0) {
    bool is_comma = rest.text[0] == ',';
    size_t used = is_comma ? 1 : read_tag(rest.text, rest.size, &tag);
    if (used == 0) return false;
    if (!is_comma && is_same(&tag, &own, strong)) return true;
    rest.text += used;
    rest.size -= used;
    rest = trim(rest);
    if (!is_comma && rest.size > 0 && rest.text[0] != ',') return false;
  }
  return false;
}

/* ---- dates --------------------------------------------------------------- */

static bool read_date(const struct value *value, int64_t now, int64_t *date) {
  if (value->text == NULL) return false;
  struct value text = trim(*value);
  return dates_parse(text.text, text.size, now, date);
}

static bool is_newer(const struct value *since,
                     const struct validators *validators, bool otherwise) {
  int64_t date;
  if (!validators->has_modified || !read_date(since, validators->now, &date))
    return otherwise;
  return validators->modified > date;
}

/* ---- section 13.2.2 ------------------------------------------------------ */

enum verdict conditions_judge(const struct conditions *conditions,
                              const struct validators *validators) {
  const struct value *etag = &validators->etag;
  if (conditions->match.text != NULL) {
    if (!conditions_list_has(&conditions->match, etag, true))
      return VERDICT_FAILED;
  } else if (is_newer(&conditions->unmodified_since, validators, false)) {
    return VERDICT_FAILED;
  }
  bool unchanged;
  if (conditions->none_match.text != NULL)
    unchanged = conditions_list_has(&conditions->none_match, etag, false);
  else
    unchanged = conditions->reads &&
                !is_newer(&conditions->modified_since, validators, true);
  if (!unchanged) return VERDICT_GO;
  return conditions->reads ? VERDICT_NOT_MODIFIED : VERDICT_FAILED;
}

/* A second in which something has changed may see it change again: as a date it
 * says nothing until it is over. */
bool conditions_allow_range(const struct conditions *conditions,
                            const struct validators *validators) {
  const struct value *range = &conditions->range;
  struct value text;
  struct tag own, tag;
  int64_t date;
  if (range->text == NULL) return true;
  text = trim(*range);
  if (read_tag(text.text, text.size, &tag) == text.size && text.size > 0)
    return validators->etag.text != NULL &&
           read_tag(validators->etag.text, validators->etag.size, &own) > 0 &&
           is_same(&tag, &own, true);
  return validators->has_modified && validators->modified < validators->now &&
         read_date(range, validators->now, &date) &&
         date == validators->modified;
}

/* text.c - strings as JSON: what needs no escape is found eight bytes at a time
 * and copied; the rest is looked at character by character. A string that is not
 * UTF-8 has no JSON: no wrong byte is ever written. */
#include "modules/json/text.h"

#include "modules/json/json.h"

unsigned json_read_utf8(const char *text, size_t left, uint32_t *code) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *bytes = (const unsigned char *)text;
  unsigned size = bytes[0] < 0x80   ? 1
                  : bytes[0] < 0xc0 ? 0
                  : bytes[0] < 0xe0 ? 2
                  : bytes[0] < 0xf0 ? 3
                  : bytes[0] < 0xf8 ? 4
                                    : 0;
  if (size == 0 || size > left) return 0;
  uint32_t value = size == 1 ? bytes[0] : bytes[0] & (0x7fu >> size);
  for (unsigned i = 1; i < size; i++) {
    if ((bytes[i] & 0xc0) != 0x80) return 0;
    value = value << 6 | (bytes[i] & 0x3f);
  }
  if (value < least[size] || value > 0x10ffff) return 0;
  if (value >= 0xd800 && value <= 0xdfff) return 0; /* half of a pair */
  *code = value;
  return size;
}

/* ---- what goes as it is -------------------------------------------------- */

static const uint64_t ones = UINT64_C(0x0101010101010101);
static const uint64_t highs = UINT64_C(0x8080808080808080);

/* Each term has the high bit of a byte set where that byte is not plain; a
 * borrow may set it for a byte after such a one, too, which does no harm. */
static bool all_plain(uint64_t eight) {
  uint64_t controls = eight - ones * ' ';
  uint64_t quotes = (eight ^ ones * '"') - ones;
  uint64_t slashes = (eight ^ ones * '\\') - ones;
  return ((eight | controls | quotes | slashes) & highs) == 0;
}

static bool is_plain(char byte) {
  return byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
}

/* Eight bytes: the first four and the last four of a string of 4 to 7. */
static uint64_t both_ends(const char *text, size_t size) {
  uint32_t first, last;
  memcpy(&first, text, sizeof first);
  memcpy(&last, text + size - sizeof last, sizeof last);
  return (uint64_t)first << 32 | last;
}

/* Copies what is left of a string, of 4 bytes or more in all. Whole words, too:
 * some bytes a second time. False: not all of it is plain. */
static bool copy_end(char *to, const char *text, size_t size) {
  uint64_t eight;
  if (size < sizeof eight) {
    if (!all_plain(both_ends(text, size))) return false;
    memcpy(to, text, 4);
    memcpy(to + size - 4, text + size - 4, 4);
    return true;
  }
  memcpy(&eight, text + size - sizeof eight, sizeof eight);
  if (!all_plain(eight)) return false;
  memcpy(to + size - sizeof eight, &eight, sizeof eight);
  return true;
}

/* Copies as many as are plain, and says how many. There is room for them all. */
static size_t copy_plain(char *to, const char *text, size_t size) {
  size_t done = 0;
  for (uint64_t eight; size - done >= sizeof eight; done += sizeof eight) {
    memcpy(&eight, text + done, sizeof eight);
    if (!all_plain(eight)) break;
    memcpy(to + done, &eight, sizeof eight);
  }
  if (size - done < sizeof(uint64_t) && size >= 4 && copy_end(to, text, size))
    return size;
  for (; done < size && is_plain(text[done]); done++) to[done] = text[done];
  return done;
}

/* ---- the others ---------------------------------------------------------- */

static size_t put_unit(char *to, uint32_t unit) { /* of UTF-16 */
  static const char digits[] = "0123456789abcdef";
  memcpy(to, "\\u", 2);
  for (int i = 0; i < 4; i++) to[2 + i] = digits[unit >> (12 - 4 * i) & 15];
  return 6;
}

static size_t put_escaped(char *to, uint32_t code) {
  static const char names[0x80] = {
    ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
    ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
  if (code < sizeof names && names[code] != 0) {
    to[0] = '\\';
    to[1] = names[code];
    return 2;
  }
  if (code < 0x10000) return put_unit(to, code);
  size_t size = put_unit(to, 0xd800 + ((code - 0x10000) >> 10));
  return size + put_unit(to + size, 0xdc00 + (code & 0x3ff));
}

enum { ESCAPE_MOST = 12 };

/* Writes one character, and says how long it was; 0: it is not UTF-8. */
static unsigned put_character(struct output *output, const char *text,
                              size_t left, bool ascii) {
  uint32_t code;
  unsigned size = json_read_utf8(text, left, &code);
  if (size == 0) return 0;
  char *to = output_room(output, ESCAPE_MOST);
  bool escape =
    code < ' ' || code == '"' || code == '\\' || (ascii && code > 0x7f);
  if (escape) {
    output->size += put_escaped(to, code);
  } else {
    memcpy(to, text, size);
    output->size += size;
  }
  return size;
}

size_t text_write(struct output *output, const char *text, size_t size,
                  bool ascii) {
  size_t done = 0;
  output_add_char(output, '"');
  for (;;) {
    char *to = output_room(output, size - done + 1);
    size_t plain = copy_plain(to, text + done, size - done);
    output->size += plain;
    done += plain;
    if (done == size) break;
    unsigned character = put_character(output, text + done, size - done, ascii);
    if (character == 0) return done + 1;
    done += character;
  }
  output_add_char(output, '"');
  return 0;
}

/* chunks.c - RFC 9112, 7.1, and not a byte besides.
 *
 * A size is 1 to 16 hexadecimal digits. Extensions mean nothing to us, but must
 * be well-formed, and are bounded, in each chunk and in all of a request: else
 * whole streams could be sent in them that no limit of a body sees. Lines end
 * with CRLF, and CR and LF are nowhere else: what one reader takes for a line's
 * end, the other must too. White space is nowhere either, but in quotes: the
 * grammar calls it bad, and readers differ in where they let it through. */
#include "modules/http/chunks.h"

#include <string.h>

#include "modules/http/fields.h"

enum { DIGITS = 16, EXTENSION = 256, EXTENSIONS = 4096 };

static void begin_size(struct intake *intake) {
  intake->phase = CHUNKS_SIZE;
  intake->left = 0;
  intake->count = 0;
  intake->extension = 0;
}

void chunks_begin(struct intake *intake) {
  begin_size(intake);
  intake->extensions = 0;
}

static int hex(unsigned char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/* What may stand behind a size, and behind each extension. */
static bool on_separator(struct intake *intake, unsigned char c) {
  if (c == '\r')
    intake->phase = intake->left > 0 ? CHUNKS_SIZE_LF : CHUNKS_LAST_LF;
  else if (c == ';')
    intake->phase = CHUNKS_NAME_BEGIN;
  else
    return false;
  return true;
}

static void on_size(struct intake *intake, unsigned char c) {
  int digit = hex(c);
  if (digit >= 0) {
    if (intake->count++ == DIGITS)
      intake_refuse(intake, 400, "a chunk size of too many digits");
    intake->left = intake->left << 4 | (unsigned)digit;
  } else if (intake->count == 0 || !on_separator(intake, c)) {
    intake_refuse(intake, 400, "a chunk size is malformed");
  }
}

static bool is_text(unsigned char c) {
  return (c >= ' ' || c == '\t') && c != 0x7f;
}

/* One byte of an extension; false: it may not be there. */
static bool extend(struct intake *intake, unsigned char c) {
  switch (intake->phase) {
    case CHUNKS_NAME_BEGIN:
      intake->phase = CHUNKS_NAME;
      return fields_is_token_byte(c);
    case CHUNKS_NAME:
      if (c == '=') intake->phase = CHUNKS_VALUE_BEGIN;
      return c == '=' || fields_is_token_byte(c) || on_separator(intake, c);
    case CHUNKS_VALUE_BEGIN:
      intake->phase = c == '"' ? CHUNKS_QUOTED : CHUNKS_VALUE;
      return c == '"' || fields_is_token_byte(c);
    case CHUNKS_VALUE:
      return fields_is_token_byte(c) || on_separator(intake, c);
    case CHUNKS_QUOTED:
      if (c == '"') intake->phase = CHUNKS_QUOTED_END;
      if (c == '\\') intake->phase = CHUNKS_ESCAPED;
      return is_text(c);
    case CHUNKS_ESCAPED: intake->phase = CHUNKS_QUOTED; return is_text(c);
    default: return on_separator(intake, c);
  }
}

static void on_extension(struct intake *intake, unsigned char c) {
  if (!extend(intake, c))
    intake_refuse(intake, 400, "a chunk extension is malformed");
  else if (++intake->extension > EXTENSION || ++intake->extensions > EXTENSIONS)
    intake_refuse(intake, 400, "chunk extensions are too long");
}

static void on_end(struct intake *intake, unsigned char c, char expected) {
  if (c != expected)
    intake_refuse(intake, 400, "a chunk does not end with CRLF");
  else if (intake->phase == CHUNKS_DATA_LF)
    begin_size(intake);
  else if (intake->phase == CHUNKS_LAST_LF)
    intake->phase = CHUNKS_TRAILERS;
  else
    intake->phase++;
}

static void step(struct intake *intake, unsigned char c) {
  switch (intake->phase) {
    case CHUNKS_SIZE: on_size(intake, c); break;
    case CHUNKS_DATA_CR: on_end(intake, c, '\r'); break;
    case CHUNKS_SIZE_LF:
    case CHUNKS_DATA_LF:
    case CHUNKS_LAST_LF: on_end(intake, c, '\n'); break;
    default: on_extension(intake, c); break;
  }
}

size_t chunks_take(struct intake *intake, char *bytes, size_t size,
                   size_t *decoded) {
  size_t at = 0;
  *decoded = 0;
  while (at < size && intake->phase != CHUNKS_TRAILERS &&
         intake->state != INTAKE_REFUSED) {
    if (intake->phase != CHUNKS_DATA) {
      step(intake, (unsigned char)bytes[at++]);
      continue;
    }
    size_t part = size - at;
    if (part > intake->left) part = (size_t)intake->left;
    memmove(bytes + *decoded, bytes + at, part);
    at += part;
    *decoded += part;
    intake->left -= part;
    if (intake->left == 0) intake->phase = CHUNKS_DATA_CR;
  }
  return at;
}

/* intake.c - bytes are gathered into lines, and a body follows them.
 *
 * Lines are read where they lie in what has come; only one that came in
 * parts is read in the head, where its parts were gathered. A piece's offset
 * in the head is known before its bytes are there: so they are copied once,
 * all together. */
#include "modules/http/intake.h"

#include <string.h>

#include "modules/http/chunks.h"
#include "modules/http/lines.h"

enum { BLANK_BYTES = 8 }; /* four blank lines before a request */

/* ---- lines --------------------------------------------------------------- */

static bool store(struct intake *intake, const char *bytes, size_t size) {
  if (head_append(intake->head, bytes, size)) return true;
  intake_refuse(intake, 503, "no memory");
  return false;
}

/* A part of the line is there already. Returns how many bytes were taken. */
static size_t take_part(struct intake *intake, const char *bytes, size_t size,
                        bool *last) {
  struct head *head = intake->head;
  const char *end = memchr(bytes, '\n', size);
  if (end != NULL) size = (size_t)(end - bytes) + 1;
  if (!store(intake, bytes, size)) return size;
  if (end == NULL) {
    if (lines_have_control(bytes, size))
      intake_refuse(intake, 400, "a control byte");
    return size;
  }
  size_t used;
  *last =
    lines_read(intake, head->data + head->read, head->size - head->read, &used);
  head->read = (uint32_t)head->size;
  return size;
}

/* Mostly it is the last byte; but a body may follow, of one line. */
static const char *last_line_end(const char *bytes, size_t size) {
#ifdef __linux__
  const char *end = memrchr(bytes, '\n', size);
  return end != NULL ? end + 1 : NULL;
#else
  while (size > 0 && bytes[size - 1] != '\n') size--;
  return size > 0 ? bytes + size : NULL;
#endif
}

static size_t take_lines(struct intake *intake, const char *bytes, size_t size,
                         bool *last) {
  struct head *head = intake->head;
  const char *end = last_line_end(bytes, size);
  if (end == NULL || head->size > head->read)
    return take_part(intake, bytes, size, last);
  size_t used;
  *last = lines_read(intake, bytes, (size_t)(end - bytes), &used);
  if (store(intake, bytes, used)) head->read = (uint32_t)head->size;
  return used;
}

/* Until all lines have come, or something is refused. */
static size_t gather(struct intake *intake, const char *bytes, size_t size,
                     bool *last) {
  const struct head *head = intake->head;
  size_t taken = 0;
  while (taken < size && !*last && intake->state != INTAKE_REFUSED) {
    size_t room = lines_limit(intake) - (head->size - head->begin);
    size_t part = size - taken < room ? size - taken : room;
    if (part == 0)
      lines_refuse_long(intake, head->data + head->begin,
                        head->size - head->begin);
    else
      taken += take_lines(intake, bytes + taken, part, last);
  }
  return taken;
}

/* ---- the interface ------------------------------------------------------- */

void intake_init(struct intake *intake, const struct intake_limits *limits,
                 struct head **spare) {
  memset(intake, 0, sizeof *intake);
  intake->limits = limits;
  intake->spare = spare;
}

/* Blank lines before the request line are skipped (RFC 9112, 2.2), not many. */
static size_t skip_blank(struct intake *intake, const char *bytes,
                         size_t size) {
  size_t at = 0;
  while (at < size && intake->state == INTAKE_HEAD) {
    char expected = intake->count % 2 == 0 ? '\r' : '\n';
    if (bytes[at] != expected) {
      if (expected == '\n' || bytes[at] == '\n')
        intake_refuse(intake, 400, "a line does not end with CRLF");
      break;
    }
    if (intake->count++ == BLANK_BYTES)
      intake_refuse(intake, 400, "too many blank lines");
    at++;
  }
  return at;
}

static void begin_head(struct intake *intake) {
  intake->head = head_take(intake->spare, intake->limits->headers);
  if (intake->head == NULL)
    intake_refuse(intake, 503, "no memory");
  else
    lines_begin(intake);
}

size_t intake_head(struct intake *intake, const char *bytes, size_t size) {
  size_t taken = 0;
  bool last = false;
  if (intake->state != INTAKE_HEAD) return 0;
  if (intake->head == NULL) {
    taken = skip_blank(intake, bytes, size);
    if (taken == size || intake->state == INTAKE_REFUSED) return size;
    begin_head(intake);
    if (intake->state == INTAKE_REFUSED) return size;
  }
  taken += gather(intake, bytes + taken, size - taken, &last);
  if (intake->state == INTAKE_REFUSED) return size;
  if (!last) return taken;
  intake->state = intake->has_body ? INTAKE_BODY : INTAKE_END;
  if (intake->chunked) chunks_begin(intake);
  return taken;
}

static size_t take_trailers(struct intake *intake, const char *bytes,
                            size_t size) {
  bool last = false;
  size_t taken = gather(intake, bytes, size, &last);
  if (last && intake->state != INTAKE_REFUSED) intake->state = INTAKE_END;
  return taken;
}

static size_t take_chunked(struct intake *intake, char *bytes, size_t size,
                           size_t *decoded) {
  if (intake->phase == CHUNKS_TRAILERS)
    return take_trailers(intake, bytes, size);
  size_t taken = chunks_take(intake, bytes, size, decoded);
  if (intake->phase != CHUNKS_TRAILERS) return taken;
  if (size - taken >= 2 && memcmp(bytes + taken, "\r\n", 2) == 0) {
    intake->state = INTAKE_END; /* no trailers, as nearly always */
    return taken + 2;
  }
  lines_begin_trailers(intake);
  return taken + take_trailers(intake, bytes + taken, size - taken);
}

size_t intake_body(struct intake *intake, char *bytes, size_t size,
                   size_t *decoded) {
  *decoded = 0;
  if (intake->state != INTAKE_BODY) return 0;
  if (intake->chunked) {
    size_t taken = take_chunked(intake, bytes, size, decoded);
    return intake->state == INTAKE_REFUSED ? size : taken;
  }
  *decoded = size < intake->left ? size : (size_t)intake->left;
  intake->left -= *decoded;
  if (intake->left == 0) intake->state = INTAKE_END;
  return *decoded;
}

void intake_next(struct intake *intake) {
  intake->head = NULL;
  intake->length = intake->left = 0;
  intake->state = INTAKE_HEAD;
  intake->has_body = intake->chunked = false;
  intake->expects_continue = intake->keep_alive = false;
  intake->seen = intake->count = 0;
}

bool intake_is_between(const struct intake *intake) {
  return intake->head == NULL && intake->state == INTAKE_HEAD;
}

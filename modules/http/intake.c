/* intake.c - lines are gathered, read by llhttp, and each found to be what it
 * seems.
 *
 * llhttp is given whole lines only: those of `bytes` as they lie there, and one
 * that came in parts from the head, where its parts were gathered. So each
 * callback sees all of its line, and can look around: is there CRLF behind the
 * value, a colon behind the name? A piece's offset in the head is known before
 * its bytes are there (`fed`). For the same result with every split, what ends a
 * request is tied to a byte: a line's fault to its end, a control byte and a
 * limit to where it is; see `settle`.
 *
 * llhttp ends with the head, is begun anew for each, and again for trailers,
 * which it reads as the headers of a request line of our own. */
#include "modules/http/intake.h"

#include <string.h>

#include "modules/http/chunks.h"
#include "modules/http/fields.h"
#include "modules/http/target.h"

enum {
  BLANK_BYTES = 8,   /* four blank lines before a request */
  BESIDE_TARGET = 64 /* in a request line: method, spaces, version, CRLF */
};

int intake_refuse(struct intake *intake, int status, const char *why) {
  intake->state = INTAKE_REFUSED;
  intake->refusal = status;
  intake->why = why;
  return HPE_USER;
}

/* ---- what llhttp finds in the lines -------------------------------------- */

/* parser->data is where the lines begin that it is given. */
static const char *fed(const llhttp_t *parser) {
  return parser->data;
}

static uint32_t offset(const llhttp_t *parser, const char *at) {
  const struct intake *intake = (const struct intake *)parser;
  return intake->head->read + (uint32_t)(at - fed(parser));
}

static bool in_trailers(const struct head *head) {
  return head->trailers > 0;
}

/* Methods that llhttp knows and no server of ours serves: CONNECT asks for a
 * tunnel, PRI begins HTTP/2, the others are of RTSP. */
static bool is_served(unsigned method) {
  return method != HTTP_CONNECT &&
         !(method >= HTTP_PRI && method <= HTTP_FLUSH);
}

/* The bytes behind the target: " HTTP/1.1" CRLF. They may be fewer, but end
 * with LF, and only the last one of these is. */
static int check_version(struct intake *intake, const char *at) {
  static const char form[] = " HTTP/d.d\r\n";
  for (unsigned i = 0; form[i] != '\0'; i++)
    if (form[i] == 'd' ? at[i] < '0' || at[i] > '9' : at[i] != form[i])
      return intake_refuse(intake, 400, "the version is malformed");
  if (at[6] != '1')
    return intake_refuse(intake, at[6] == '0' ? 400 : 505,
                         "a version that is not HTTP/1");
  intake->head->minor = at[8] != '0'; /* 1.2 and above: as 1.1 */
  return 0;
}

static int on_target(llhttp_t *parser, const char *at, size_t size) {
  struct intake *intake = (struct intake *)parser;
  struct head *head = intake->head;
  if (in_trailers(head)) return 0;
  if (head->count != 0 || at[-1] != ' ' || at[-2] == ' ')
    return intake_refuse(intake, 400, "the request line is malformed");
  int result = check_version(intake, at + size);
  if (result != 0) return result;
  if (!is_served(parser->method))
    return intake_refuse(intake, 501, "a method that is not served");
  if (size > intake->limits->target_size)
    return intake_refuse(intake, 414, "the target is too long");
  const char *why = target_fault(at, size, parser->method == HTTP_OPTIONS);
  if (why != NULL) return intake_refuse(intake, 400, why);
  head->method = parser->method;
  head->pieces[0] = (struct head_piece){offset(parser, at), (uint32_t)size};
  head->count = 1;
  return 0;
}

static int add(struct intake *intake, const char *name, const char *value,
               size_t raw) {
  struct head *head = intake->head;
  size_t size = raw, name_size = head->pieces[head->count - 1].size;
  while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
    size--;
  head->pieces[head->count++] =
    (struct head_piece){offset(&intake->parser, value), (uint32_t)size};
  if (!in_trailers(head))
    return fields_add(intake, name, name_size, value, size, raw);
  if (fields_is_forbidden_trailer(name, name_size))
    return intake_refuse(intake, 400, "a header that may not be a trailer");
  return 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t size) {
  struct intake *intake = (struct intake *)parser;
  struct head *head = intake->head;
  bool trailers = in_trailers(head);
  if (head->count % 2 != 1 || (at != fed(parser) && at[-1] != '\n') ||
      at[size] != ':')
    return intake_refuse(intake, 400, "a header line is malformed");
  unsigned lines = (head->count - (trailers ? head->trailers : 1)) / 2;
  if (lines == intake->limits->headers)
    return intake_refuse(intake, 431, "too many headers");
  head->pieces[head->count++] =
    (struct head_piece){offset(parser, at), (uint32_t)size};
  const char *value = at + size + 1;
  while (*value == ' ' || *value == '\t') value++;
  /* An empty value llhttp tells of when it sees the next line: too late. */
  if (value[0] == '\r' && value[1] == '\n') return add(intake, at, value, 0);
  head->pieces[head->count].at = offset(parser, value);
  return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t size) {
  struct intake *intake = (struct intake *)parser;
  const struct head *head = intake->head;
  if (size == 0) return 0; /* see on_name; or the line is malformed */
  if (head->count % 2 != 0 ||
      head->pieces[head->count].at != offset(parser, at))
    return intake_refuse(intake, 400, "a folded header line");
  if (at[size] != '\r' || at[size + 1] != '\n')
    return intake_refuse(intake, 400, "a line does not end with CRLF");
  const struct head_piece *name = &head->pieces[head->count - 1];
  return add(intake, at - (offset(parser, at) - name->at), at, size);
}

static int on_lines_end(llhttp_t *parser) {
  struct intake *intake = (struct intake *)parser;
  struct head *head = intake->head;
  if (head->count % 2 != 1)
    return intake_refuse(intake, 400, "a header line is malformed");
  if (in_trailers(head)) return HPE_PAUSED;
  head->trailers = head->count;
  int result = fields_finish(intake);
  return result != 0 ? result : HPE_PAUSED;
}

static const llhttp_settings_t settings = {
  .on_url = on_target,
  .on_header_field = on_name,
  .on_header_value = on_value,
  .on_headers_complete = on_lines_end,
};

/* ---- refusals that llhttp finds, and limits ------------------------------ */

static bool is_control(char c) {
  unsigned char byte = (unsigned char)c;
  return (byte < ' ' && byte != '\t' && byte != '\r' && byte != '\n') ||
         byte == 0x7f;
}

static bool has_control(const char *bytes, size_t size) {
  unsigned bad = 0;
  for (size_t i = 0; i < size; i++) bad |= is_control(bytes[i]);
  return bad != 0;
}

static size_t method_size(const char *line, size_t size) {
  size_t i = 0;
  while (i < size && line[i] > ' ' && line[i] < 0x7f &&
         strchr("\"(),/:;<=>?@[\\]{}", line[i]) == NULL)
    i++;
  return i;
}

static bool is_known_method(const char *text, size_t size) {
  for (unsigned method = 0; method < HTTP_PRI; method++) {
    const char *name = llhttp_method_name((llhttp_method_t)method);
    if (is_served(method) && strlen(name) == size &&
        memcmp(name, text, size) == 0)
      return true;
  }
  return false;
}

/* A first line that llhttp refuses: is it only the method? */
static void refuse_method(struct intake *intake, const char *line, size_t size,
                          int otherwise, const char *why) {
  size_t method = method_size(line, size);
  if (method == 0 || (method < size && line[method] != ' '))
    intake_refuse(intake, 400, "the method is malformed");
  else if (!is_known_method(line, method))
    intake_refuse(intake, 501, "a method that is not known");
  else
    intake_refuse(intake, otherwise, why);
}

static bool is_first_line(const struct head *head) {
  return head->count == 0;
}

/* How long may the lines become, from `begin` on, before the next LF comes? */
static size_t limit(const struct intake *intake) {
  size_t size = intake->limits->header_size;
  size_t first = intake->limits->target_size + BESIDE_TARGET;
  return is_first_line(intake->head) && first < size ? first : size;
}

static void refuse_long(struct intake *intake, const char *line, size_t size) {
  if (is_first_line(intake->head))
    refuse_method(intake, line, size, 414, "the request line is too long");
  else
    intake_refuse(intake, 431, "the headers are too long");
}

/* Something was refused at `at`, in the lines [begin, end). Had its line come in
 * parts, a control byte would have been seen first, and the limit of a request
 * line, too. */
static void settle(struct intake *intake, const char *begin, const char *end,
                   const char *at) {
  if (at >= end) at = end - 1;
  const char *line = at;
  while (line > begin && line[-1] != '\n') line--;
  size_t size =
    (size_t)((const char *)memchr(at, '\n', (size_t)(end - at)) - line) + 1;
  bool is_long = is_first_line(intake->head) && size > limit(intake);
  if (is_long) size = limit(intake);
  if (has_control(line, size)) {
    intake_refuse(intake, 400, "a control byte");
  } else if (is_long) {
    refuse_long(intake, line, size);
  } else if (intake->state != INTAKE_REFUSED) {
    int error = llhttp_get_errno(&intake->parser);
    if (is_first_line(intake->head) &&
        (error == HPE_INVALID_METHOD || error == HPE_INVALID_CONSTANT))
      refuse_method(intake, line, size, 400, "the request line is malformed");
    else
      intake_refuse(intake, 400, "a line is malformed");
  }
}

/* ---- lines --------------------------------------------------------------- */

static void begin_lines(struct intake *intake) {
  llhttp_init(&intake->parser, HTTP_REQUEST, &settings);
  /* Versions are checked here. */
  intake->parser.lenient_flags |= LENIENT_VERSION;
}

/* Whole lines. True: they were the last ones; *used of them. */
static bool read_lines(struct intake *intake, const char *lines, size_t size,
                       size_t *used) {
  llhttp_t *parser = &intake->parser;
  parser->data = (void *)lines;
  llhttp_errno_t result = llhttp_execute(parser, lines, size);
  *used = size;
  if (result == HPE_OK) return false;
  const char *at = llhttp_get_error_pos(parser);
  if (result != HPE_PAUSED || intake->state == INTAKE_REFUSED) {
    settle(intake, lines, lines + size, at);
    return false;
  }
  if (at > lines && at[-1] == '\r') at++; /* one version stops before the LF */
  if (at - lines < 2 || at[-1] != '\n' || at[-2] != '\r' ||
      (at - lines > 2 && at[-3] != '\n'))
    intake_refuse(intake, 400, "a line does not end with CRLF");
  *used = (size_t)(at - lines);
  return true;
}

static bool store(struct intake *intake, const char *bytes, size_t size) {
  if (head_append(intake->head, bytes, size)) return true;
  intake_refuse(intake, 503, "no memory");
  return false;
}

/* A line of which a part is there already; returns how many bytes were taken. */
static size_t take_part(struct intake *intake, const char *bytes, size_t size,
                        bool *last) {
  struct head *head = intake->head;
  const char *end = memchr(bytes, '\n', size);
  if (end != NULL) size = (size_t)(end - bytes) + 1;
  if (!store(intake, bytes, size)) return size;
  if (end == NULL) {
    if (has_control(bytes, size)) intake_refuse(intake, 400, "a control byte");
    return size;
  }
  size_t used;
  *last =
    read_lines(intake, head->data + head->read, head->size - head->read, &used);
  head->read = (uint32_t)head->size;
  return size;
}

static const char *last_line_end(const char *bytes, size_t size) {
  while (size > 0 && bytes[size - 1] != '\n') size--;
  return size > 0 ? bytes + size : NULL;
}

static size_t take_lines(struct intake *intake, const char *bytes, size_t size,
                         bool *last) {
  struct head *head = intake->head;
  const char *end = last_line_end(bytes, size);
  if (end == NULL || head->size > head->read)
    return take_part(intake, bytes, size, last);
  size_t used;
  *last = read_lines(intake, bytes, (size_t)(end - bytes), &used);
  if (store(intake, bytes, used)) head->read = (uint32_t)head->size;
  return used;
}

/* Until all lines have come, or something is refused. */
static size_t gather(struct intake *intake, const char *bytes, size_t size,
                     bool *last) {
  const struct head *head = intake->head;
  size_t taken = 0;
  while (taken < size && !*last && intake->state != INTAKE_REFUSED) {
    size_t room = intake->limits->header_size - (head->size - head->begin);
    if (is_first_line(head)) room = limit(intake) - head->size;
    size_t part = size - taken < room ? size - taken : room;
    if (part == 0)
      refuse_long(intake, head->data + head->begin, head->size - head->begin);
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
  unsigned headers = intake->limits->headers;
  intake->head = *intake->spare;
  *intake->spare = NULL;
  if (intake->head != NULL && intake->head->room < HEAD_ROOM(headers)) {
    head_free(intake->head);
    intake->head = NULL;
  }
  if (intake->head == NULL) intake->head = head_new(headers);
  if (intake->head == NULL) {
    intake_refuse(intake, 503, "no memory");
    return;
  }
  head_clear(intake->head);
  begin_lines(intake);
}

size_t intake_head(struct intake *intake, const char *bytes, size_t size) {
  size_t taken = 0;
  bool last = false;
  if (intake->head == NULL) {
    taken = skip_blank(intake, bytes, size);
    if (taken == size || intake->state == INTAKE_REFUSED) return size;
    begin_head(intake);
  }
  if (intake->state != INTAKE_HEAD) return size;
  taken += gather(intake, bytes + taken, size - taken, &last);
  if (intake->state == INTAKE_REFUSED) return size;
  if (!last) return taken;
  intake->state = intake->has_body ? INTAKE_BODY : INTAKE_END;
  if (intake->chunked) chunks_begin(intake);
  return taken;
}

/* The first line of them begins: mostly there is none, only the blank one. */
static void begin_trailers(struct intake *intake) {
  static const char line[] = "GET / HTTP/1.1\r\n";
  struct head *head = intake->head;
  head->begin = head->read = (uint32_t)head->size;
  begin_lines(intake);
  llhttp_execute(&intake->parser, line, sizeof line - 1);
}

static size_t take_chunked(struct intake *intake, char *bytes, size_t size,
                           size_t *decoded) {
  size_t taken = 0;
  bool last = false;
  if (intake->phase != CHUNKS_TRAILERS) {
    taken = chunks_take(intake, bytes, size, decoded);
    if (intake->phase == CHUNKS_TRAILERS) begin_trailers(intake);
  }
  if (intake->phase != CHUNKS_TRAILERS || intake->state == INTAKE_REFUSED)
    return taken;
  taken += gather(intake, bytes + taken, size - taken, &last);
  if (last && intake->state != INTAKE_REFUSED) intake->state = INTAKE_END;
  return taken;
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
  intake_init(intake, intake->limits, intake->spare);
}

bool intake_is_between(const struct intake *intake) {
  return intake->head == NULL && intake->state == INTAKE_HEAD;
}

/* lines.c - llhttp reads lines, and each is found to be what it seems.
 *
 * It gets whole lines only. So each callback sees all of its line, and can look
 * around: is there CRLF behind the value, a colon behind the name? And each
 * must begin where the one before it ended (head->next): nothing is skipped
 * unseen.
 *
 * For the same result with every split, what ends a request is tied to a byte:
 * the fault of a line to its end, a control byte and a limit to where they are;
 * see `settle`.
 *
 * llhttp ends with the head, is begun anew for each, and again for trailers,
 * which it reads as the headers of a request line of our own. */
#include "modules/http/lines.h"

#include <string.h>

#include "modules/http/fields.h"
#include "modules/http/target.h"

enum { BESIDE_TARGET = 64 }; /* in its line: method, spaces, version, CRLF */

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

const char *lines_target(const struct intake *intake, size_t *size) {
  const struct head *head = intake->head;
  struct head_piece target = head->pieces[0];
  *size = target.size;
  if (target.at < head->read) return head->data + target.at;
  return fed(&intake->parser) + (target.at - head->read);
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

/* The bytes behind the target: " HTTP/1.1" CRLF. There are `left` of them, and
 * the last one is LF. */
static int check_version(struct intake *intake, const char *at, size_t left) {
  static const char form[] = " HTTP/d.d\r\n";
  if (left >= sizeof form - 1 && memcmp(at, " HTTP/1.1\r\n", 11) == 0) {
    intake->head->minor = 1;
    return 0;
  }
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
  size_t before = (size_t)(at + size - fed(parser));
  int result = check_version(intake, at + size, intake->left - before);
  if (result != 0) return result;
  head->method = parser->method; /* also for a refusal: see client_refuse */
  if (!is_served(parser->method))
    return intake_refuse(intake, 501, "a method that is not served");
  if (size > intake->limits->target_size)
    return intake_refuse(intake, 414, "the target is too long");
  const char *why = target_fault(at, size, parser->method == HTTP_OPTIONS);
  if (why != NULL) return intake_refuse(intake, 400, why);
  head->pieces[0] = (struct head_piece){offset(parser, at), (uint32_t)size};
  head->count = 1;
  head->next = offset(parser, at + size) + 11;
  return 0;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t';
}

static int check_field(struct intake *intake, const char *name,
                       size_t name_size, const char *value, size_t size,
                       size_t raw) {
  if (in_trailers(intake->head)) {
    if (fields_is_forbidden_trailer(name, name_size))
      return intake_refuse(intake, 400, "a header that may not be a trailer");
  } else if (fields_may_matter(name, name_size)) {
    return fields_add(intake, name, name_size, value, size, raw);
  }
  return 0;
}

/* The name has come, and the line is looked at up to its end; llhttp is still
 * to find what its value may not contain. */
static int on_name(llhttp_t *parser, const char *at, size_t size) {
  struct intake *intake = (struct intake *)parser;
  struct head *head = intake->head;
  uint32_t begin = offset(parser, at);
  if (begin != head->next)
    return intake_refuse(intake, 400, "a folded header line");
  if (size == 0 || at[size] != ':')
    return intake_refuse(intake, 400, "a header line is malformed");
  if (head->count - (head->trailers | 1) == 2 * intake->limits->headers)
    return intake_refuse(intake, 431, "too many headers");
  const char *value = at + size + 1;
  const char *end =
    memchr(value, '\n', intake->left - (size_t)(value - fed(parser)));
  if (*--end != '\r')
    return intake_refuse(intake, 400, "a line does not end with CRLF");
  const char *raw = end;
  while (is_space(*value)) value++;
  while (end > value && is_space(end[-1])) end--;
  size_t length = (size_t)(end - value);
  struct head_piece *pieces = &head->pieces[head->count];
  pieces[0] = (struct head_piece){begin, (uint32_t)size};
  pieces[1] = (struct head_piece){offset(parser, value), (uint32_t)length};
  int result =
    check_field(intake, at, size, value, length, (size_t)(raw - value));
  if (result != 0) return result;
  head->count += 2;
  head->next = offset(parser, raw) + 2;
  return 0;
}

static int on_lines_end(llhttp_t *parser) {
  struct intake *intake = (struct intake *)parser;
  struct head *head = intake->head;
  if (in_trailers(head)) return HPE_PAUSED;
  head->trailers = head->count;
  int result = fields_finish(intake);
  return result != 0 ? result : HPE_PAUSED;
}

static const llhttp_settings_t settings = {
  .on_url = on_target,
  .on_header_field = on_name,
  .on_headers_complete = on_lines_end,
};

/* ---- refusals that llhttp finds, and limits ------------------------------ */

static bool is_control(char c) {
  unsigned char byte = (unsigned char)c;
  return (byte < ' ' && byte != '\t' && byte != '\r' && byte != '\n') ||
         byte == 0x7f;
}

bool lines_have_control(const char *bytes, size_t size) {
  unsigned bad = 0;
  for (size_t i = 0; i < size; i++) bad |= is_control(bytes[i]);
  return bad != 0;
}

static size_t method_size(const char *line, size_t size) {
  size_t i = 0;
  while (i < size && fields_is_token_byte((unsigned char)line[i])) i++;
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
size_t lines_limit(const struct intake *intake) {
  size_t size = intake->limits->header_size;
  size_t first = intake->limits->target_size + BESIDE_TARGET;
  return is_first_line(intake->head) && first < size ? first : size;
}

void lines_refuse_long(struct intake *intake, const char *line, size_t size) {
  if (is_first_line(intake->head))
    refuse_method(intake, line, size, 414, "the request line is too long");
  else
    intake_refuse(intake, 431, "the headers are too long");
}

/* Something was refused; if it was by us, then the line at head->next. Had that
 * come in parts, a control byte in it would have been seen first. */
static void settle(struct intake *intake, const char *lines, size_t size) {
  size_t begin = intake->head->next - intake->head->read; /* <= size */
  const char *line = lines + begin;
  const char *end = memchr(line, '\n', size - begin);
  llhttp_errno_t error = llhttp_get_errno(&intake->parser);
  if (end != NULL) size = begin + (size_t)(end - line);
  if (lines_have_control(line, size - begin))
    intake_refuse(intake, 400, "a control byte");
  else if (intake->state == INTAKE_REFUSED)
    return;
  else if (is_first_line(intake->head) &&
           (error == HPE_INVALID_METHOD || error == HPE_INVALID_CONSTANT))
    refuse_method(intake, line, size, 400, "the request line is malformed");
  else
    intake_refuse(intake, 400, "a line is malformed");
}

/* ---- the interface ------------------------------------------------------- */

void lines_begin(struct intake *intake) {
  llhttp_init(&intake->parser, HTTP_REQUEST, &settings);
  /* Versions are checked here. */
  intake->parser.lenient_flags |= LENIENT_VERSION;
}

/* Whole lines. True: they were the last ones; *used of them. */
bool lines_read(struct intake *intake, const char *lines, size_t size,
                size_t *used) {
  llhttp_t *parser = &intake->parser;
  parser->data = (void *)lines;
  intake->left = size;
  llhttp_errno_t result = llhttp_execute(parser, lines, size);
  struct head *head = intake->head;
  *used = size;
  if (result == HPE_OK) {
    if (head->next != head->read + size) /* a line that llhttp does not show */
      intake_refuse(intake, 400, "a folded header line");
    return false;
  }
  if (result != HPE_PAUSED || intake->state == INTAKE_REFUSED) {
    settle(intake, lines, size);
    return false;
  }
  const char *at = llhttp_get_error_pos(parser);
  if (at > lines && at[-1] == '\r') at++; /* one version stops before the LF */
  if (offset(parser, at) > head->next + 2)
    intake_refuse(intake, 400, "a folded header line");
  else if (offset(parser, at) != head->next + 2 || at[-2] != '\r' ||
           at[-1] != '\n')
    intake_refuse(intake, 400, "a line does not end with CRLF");
  *used = (size_t)(at - lines);
  return true;
}

void lines_begin_trailers(struct intake *intake) {
  static const char line[] = "GET / HTTP/1.1\r\n";
  struct head *head = intake->head;
  head->begin = head->read = head->next = (uint32_t)head->size;
  lines_begin(intake);
  llhttp_execute(&intake->parser, line, sizeof line - 1);
}

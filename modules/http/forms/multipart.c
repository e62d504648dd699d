/* multipart.c - RFC 2046, section 5.1, as a form has it: find the next boundary.
 *
 * What is looked for is CR LF "--" boundary, and a boundary has no CR: so where a
 * match fails another one can begin only behind it, and no byte is looked at
 * twice. What belongs to a match that was cut by the end of a piece need not be
 * kept, as it is known; only what comes behind the boundary is (`tail`).
 *
 * A line that only begins like a boundary is data: RFC 2046 would have it
 * otherwise, but the boundary of something inside may be a longer one. */
#include "modules/http/forms/multipart.h"

#include <assert.h>
#include <string.h>

enum state {
  PREAMBLE, /* what comes before the first boundary */
  HEAD,
  DATA,
  EPILOGUE, /* what comes behind the last one */
  REFUSED
};

enum { IMPLIED = 2 }; /* the CR LF of a match that is there from the start */

void multipart_init(struct multipart *parser, struct slice boundary,
                    const struct part_limits *limits) {
  memset(parser, 0, sizeof *parser);
  assert(boundary.size > 0 && boundary.size <= BOUNDARY_MOST);
  parser->limits = *limits;
  memcpy(parser->needle, "\r\n--", 4);
  memcpy(parser->needle + 4, boundary.bytes, boundary.size);
  parser->needle_size = (uint8_t)(4 + boundary.size);
  parser->matched = IMPLIED;
  parser->implied = true;
  parser->state = PREAMBLE;
}

void multipart_finish(struct multipart *parser) {
  parser->no_more = true;
}

void multipart_free(struct multipart *parser) {
  part_head_free(&parser->head);
}

static enum multipart_event
refuse(struct multipart *parser, enum multipart_fault fault, const char *why) {
  parser->state = REFUSED;
  parser->fault = fault;
  parser->why = why;
  return MULTIPART_REFUSED;
}

static void take(const char **bytes, size_t *size, size_t count) {
  *bytes += count;
  *size -= count;
}

/* ---- behind a boundary --------------------------------------------------- */

enum tail { TAIL_SHORT, TAIL_NONE, TAIL_NEXT, TAIL_LAST };

/* ["--"] blanks CR LF. */
static enum tail look_at_tail(const char *tail, size_t size) {
  size_t at = 0;
  bool last = size > 0 && tail[0] == '-';
  if (last && size == 1) return TAIL_SHORT;
  if (last && tail[1] != '-') return TAIL_NONE;
  if (last) at = 2;
  while (at < size && (tail[at] == ' ' || tail[at] == '\t')) at++;
  if (at == size) return size < TAIL_MOST ? TAIL_SHORT : TAIL_NONE;
  if (tail[at] != '\r') return TAIL_NONE;
  if (at + 1 == size) return size < TAIL_MOST ? TAIL_SHORT : TAIL_NONE;
  if (tail[at + 1] != '\n') return TAIL_NONE;
  return last ? TAIL_LAST : TAIL_NEXT;
}

static void end_match(struct multipart *parser) {
  parser->matched = parser->tail_size = 0;
  parser->implied = false;
}

/* It was a boundary. True: it has ended a part. */
static bool cross(struct multipart *parser, enum tail tail) {
  bool ends = parser->state == DATA;
  end_match(parser);
  part_head_clear(&parser->head);
  parser->state = tail == TAIL_LAST ? EPILOGUE : HEAD;
  return ends;
}

/* It was none. A CR at the end of it may begin another. True: there is data. */
static bool give_back(struct multipart *parser) {
  size_t from = parser->implied ? IMPLIED : 0;
  size_t size = parser->matched - from, tail_size = parser->tail_size;
  bool begins = tail_size > 0 && parser->tail[tail_size - 1] == '\r';
  memcpy(parser->held, parser->needle + from, size);
  if (begins) tail_size--;
  memcpy(parser->held + size, parser->tail, tail_size);
  parser->data = (struct slice){parser->held, size + tail_size};
  end_match(parser);
  if (begins) parser->matched = 1;
  return parser->data.size > 0 && parser->state == DATA;
}

/* One byte more. True: there is an event. */
static bool extend_tail(struct multipart *parser, const char **bytes,
                        size_t *size, enum multipart_event *event) {
  parser->tail[parser->tail_size++] = **bytes;
  enum tail tail = look_at_tail(parser->tail, parser->tail_size);
  if (tail == TAIL_NONE) {
    parser->tail_size--; /* it is looked at again, as data */
    *event = MULTIPART_DATA;
    return give_back(parser);
  }
  take(bytes, size, 1);
  *event = MULTIPART_PART_END;
  return tail != TAIL_SHORT && cross(parser, tail);
}

/* ---- looking for one ----------------------------------------------------- */

static size_t least(size_t one, size_t other) {
  return one < other ? one : other;
}

/* As far as can be seen. */
static bool is_match(const struct multipart *parser, const char *at,
                     size_t size) {
  size_t needle_size = parser->needle_size;
  if (size > 1 && at[1] != '\n') return false; /* sooner than by a call */
  if (memcmp(at, parser->needle, least(size, needle_size)) != 0) return false;
  if (size <= needle_size) return true;
  size_t tail_size = least(size - needle_size, TAIL_MOST);
  return look_at_tail(at + needle_size, tail_size) != TAIL_NONE;
}

/* Of the bytes that are there those that belong to no match. (What looks like
 * many boundaries is to be one event all the same.) */
static size_t count_data(const struct multipart *parser, const char *bytes,
                         size_t size) {
  const char *at = bytes, *end = bytes + size;
  while ((at = memchr(at, '\r', (size_t)(end - at))) != NULL) {
    if (is_match(parser, at, (size_t)(end - at))) return (size_t)(at - bytes);
    at++;
  }
  return size;
}

/* Goes on with a match, or finds the next. True: there is an event. */
static bool search(struct multipart *parser, const char **bytes, size_t *size,
                   enum multipart_event *event) {
  if (parser->matched == parser->needle_size)
    return extend_tail(parser, bytes, size, event);
  if (parser->matched > 0 && **bytes != parser->needle[parser->matched]) {
    *event = MULTIPART_DATA;
    return give_back(parser);
  }
  if (parser->matched > 0) {
    parser->matched++;
    take(bytes, size, 1);
    return false;
  }
  size_t count = count_data(parser, *bytes, *size);
  parser->data = (struct slice){*bytes, count};
  if (count < *size) parser->matched = 1;
  take(bytes, size, count + parser->matched);
  *event = MULTIPART_DATA;
  return count > 0 && parser->state == DATA;
}

/* ---- events -------------------------------------------------------------- */

static bool read_head(struct multipart *parser, const char **bytes,
                      size_t *size, enum multipart_event *event) {
  struct part_head *head = &parser->head;
  bool whole;
  size_t used = part_head_take(head, &parser->limits, *bytes, *size, &whole);
  take(bytes, size, used);
  if (head->fault != MULTIPART_FINE) {
    *event = refuse(parser, head->fault, head->why);
    return true;
  }
  if (!whole) return false;
  parser->state = DATA;
  parser->matched = IMPLIED; /* the empty line may be that of a boundary */
  parser->implied = true;
  *event = MULTIPART_PART;
  return true;
}

/* After the last boundary there need not be a line's end. */
static bool is_last(const struct multipart *parser) {
  return parser->matched == parser->needle_size && parser->tail_size >= 2 &&
         parser->tail[0] == '-';
}

static enum multipart_event end_of_bytes(struct multipart *parser) {
  switch (parser->state) {
    case REFUSED: return MULTIPART_REFUSED;
    case EPILOGUE: return MULTIPART_END;
    case HEAD:
      return refuse(parser, MULTIPART_BAD, "it ends within a part's head");
    default: break;
  }
  if (!is_last(parser))
    return refuse(parser, MULTIPART_BAD, "it ends without the last boundary");
  if (!cross(parser, TAIL_LAST)) return MULTIPART_END;
  return MULTIPART_PART_END;
}

enum multipart_event multipart_next(struct multipart *parser,
                                    const char **bytes, size_t *size) {
  enum multipart_event event = MULTIPART_MORE;
  bool is_event = false;
  while (!is_event && *size > 0 && parser->state < EPILOGUE) {
    if (parser->state == HEAD)
      is_event = read_head(parser, bytes, size, &event);
    else
      is_event = search(parser, bytes, size, &event);
  }
  if (is_event) return event;
  if (parser->state == REFUSED) return MULTIPART_REFUSED;
  if (parser->state == EPILOGUE) {
    take(bytes, size, *size);
    if (!parser->end_told) {
      parser->end_told = true;
      return MULTIPART_END;
    }
  }
  return parser->no_more ? end_of_bytes(parser) : MULTIPART_MORE;
}

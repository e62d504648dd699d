/* intake.c - what it costs to read a request, beside llhttp alone.
 *
 * Built with the C tests, and run by hand: build/release/test/bench_intake.
 * Prints nanoseconds of CPU a request, the best of some rounds. llhttp alone
 * does what a server must at least: it stores where each name and value is. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "modules/http/intake.h"

enum { ROUNDS = 15, TURNS = 20000 };

static const char small[] = "GET /hello HTTP/1.1\r\n"
                            "Host: 127.0.0.1:8080\r\n\r\n";
static const char ten[] =
  "GET /api/v1/things?page=2&size=50 HTTP/1.1\r\n"
  "Host: www.example.org\r\n"
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
  "Firefox/128.0\r\n"
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
  "Accept-Language: en-US,en;q=0.5\r\n"
  "Accept-Encoding: gzip, deflate, br\r\n"
  "Referer: http://www.example.org/api/v1\r\n"
  "Connection: keep-alive\r\n"
  "Cookie: session=0123456789abcdef0123456789abcdef\r\n"
  "Upgrade-Insecure-Requests: 1\r\n"
  "Cache-Control: max-age=0\r\n\r\n";
static const char chunked[] = "POST /upload HTTP/1.1\r\n"
                              "Host: www.example.org\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n"
                              "10\r\n0123456789abcdef\r\n"
                              "10\r\n0123456789abcdef\r\n0\r\n\r\n";

static const struct intake_limits limits = {
  .header_size = 16384, .target_size = 8192, .headers = 100};
static struct head *spare;
static char bytes[1024];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* ---- llhttp alone -------------------------------------------------------- */

static struct {
  const char *at;
  size_t size;
} spans[256];
static unsigned span_count;

static int on_span(llhttp_t *parser, const char *at, size_t size) {
  (void)parser;
  spans[span_count].at = at;
  spans[span_count++ % 250].size = size;
  return 0;
}

static int on_end(llhttp_t *parser) {
  (void)parser;
  span_count = 0;
  return 0;
}

static const llhttp_settings_t settings = {
  .on_url = on_span,
  .on_header_field = on_span,
  .on_header_value = on_span,
  .on_body = on_span,
  .on_message_complete = on_end,
};

static int turn_llhttp(void *data, size_t size) {
  return llhttp_execute(data, bytes, size) == HPE_OK;
}

/* ---- ours ---------------------------------------------------------------- */

static int turn_intake(void *data, size_t size) {
  struct intake *intake = data;
  size_t decoded, taken = intake_head(intake, bytes, size);
  while (intake->state == INTAKE_BODY)
    taken += intake_body(intake, bytes + taken, size - taken, &decoded);
  bool good = intake->state == INTAKE_END && taken == size;
  head_give_back(intake->head, &spare);
  intake_next(intake);
  return good;
}

static double measure(int turn(void *, size_t), void *data, const char *text) {
  double best = 1e18;
  size_t size = strlen(text);
  for (int round = 0; round < ROUNDS; round++) {
    double begin = now();
    for (int i = 0; i < TURNS; i++) {
      memcpy(bytes, text, size); /* a chunked body is decoded in place */
      if (!turn(data, size)) return -1;
    }
    double spent = (now() - begin) / TURNS;
    if (spent < best) best = spent;
  }
  return best;
}

static void compare(const char *name, const char *text) {
  llhttp_t parser;
  struct intake intake;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  intake_init(&intake, &limits, &spare);
  double theirs = measure(turn_llhttp, &parser, text);
  double ours = measure(turn_intake, &intake, text);
  printf("%-20s %5zu bytes  llhttp %6.0f ns  intake %6.0f ns  %.2f\n", name,
         strlen(text), theirs, ours, ours / theirs);
}

int main(void) {
  printf("struct intake: %zu bytes\n", sizeof(struct intake));
  compare("small", small);
  compare("ten headers", ten);
  compare("chunked", chunked);
  head_free(spare);
  return 0;
}

/* http_load - asks an HTTP server: http_load [option...] PORT PID
 *
 *   -c N  connections            -d N     requests sent at once, pipelined
 *   -w N  requests to warm up    -n N     requests that are measured
 *   -p P  path, "/" without      -h H     a header, "name: value"; any number
 *   -u N  PUT a body of N bytes  -l N     length of the body that is expected
 *   -t T  its text               -r N     N requests a second, an open loop
 *   -b F  it is the file F       -z       compressed as gzip
 *   -f F  requests in turn, a list (requests.h), instead of -p, -u, -l, -t
 *
 * Each connection has a batch of -d requests in flight and sends the next when
 * all are answered; each answer is checked (answer.h). With -r requests are sent
 * when their time has come, whatever is unanswered, to the connections in turn,
 * and latency counts from that time. Prints, in ns for each request: CPU of the
 * server (all threads of PID, user and system), wall time, CPU of this client;
 * with -r also the median, the 99th percentile and the longest latency, with -b
 * bytes of the body as it is sent. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "body.h"
#include "requests.h"

enum { EVENTS = 256, READ_SIZE = 256 * 1024, LATE = 256 };

struct conn {
  int fd;
  const struct request *request; /* the last that was sent */
  bool wants_write;              /* the kernel took only a part of it */
  size_t sent;                   /* of the request */
  unsigned waiting;              /* requests without an answer */
  unsigned first;                /* open loop: the oldest of them in `due` */
  uint64_t due[LATE];
  struct answer answer;
};

static struct options {
  unsigned count;
  uint64_t warm_up, requests, rate;
  const char *file;
  bool gzip;
  struct requests_options asked;
  struct expected expected;
} options = {.count = 1, .asked = {.depth = 1, .path = "/"}};

static struct load {
  int epoll;
  struct conn *conns;
  char *buffer;
  uint64_t to_send, to_get; /* requests */
  uint64_t *latencies;      /* NULL: a closed loop */
  uint64_t answered;
} load;

static _Noreturn void fail(const char *what) {
  answer_fail("%s: %s", what, errno != 0 ? strerror(errno) : "wrong");
}

static uint64_t now_of(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t) < 0) fail("clock");
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void watch(struct conn *conn, int operation) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = conn}};
  if (conn->wants_write) event.events |= EPOLLOUT;
  if (epoll_ctl(load.epoll, operation, conn->fd, &event) < 0) fail("epoll_ctl");
}

static void open_conn(struct conn *conn, uint16_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int one = 1;
  conn->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (conn->fd < 0) fail("socket");
  if (connect(conn->fd, (struct sockaddr *)&address, sizeof address) < 0)
    fail("connect");
  setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  watch(conn, EPOLL_CTL_ADD);
}

static void send_more(struct conn *conn) {
  const struct request *request = conn->request;
  ssize_t n = send(conn->fd, request->bytes + conn->sent,
                   request->size - conn->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN) fail("send");
  if (n > 0) conn->sent += (size_t)n;
  bool wants_write = conn->sent < request->size;
  if (wants_write == conn->wants_write) return;
  conn->wants_write = wants_write;
  watch(conn, EPOLL_CTL_MOD);
}

static void send_request(struct conn *conn) {
  struct request *request = requests_next();
  conn->request = request;
  conn->answer.expected = &request->expected;
  conn->sent = 0;
  send_more(conn);
}

static void send_next(struct conn *conn) {
  if (load.to_send == 0) return;
  load.to_send -= options.asked.depth;
  conn->waiting = options.asked.depth;
  send_request(conn);
}

static void answered(struct conn *conn) {
  if (conn->waiting == 0) answer_fail("an answer too many");
  if (conn->sent < conn->request->size)
    answer_fail("answered before all was sent");
  load.to_get--;
  conn->waiting--;
  if (load.latencies == NULL) return;
  uint64_t due = conn->due[conn->first++ % LATE];
  load.latencies[load.answered++] = now_of(CLOCK_MONOTONIC) - due;
}

static void receive(struct conn *conn) {
  ssize_t n = recv(conn->fd, load.buffer, READ_SIZE, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return;
  if (n < 0) fail("recv");
  if (n == 0) answer_fail("the server has closed a connection");
  errno = 0;
  for (size_t at = 0; at < (size_t)n;) {
    bool whole;
    at += answer_take(&conn->answer, load.buffer + at, (size_t)n - at, &whole);
    if (whole) answered(conn);
  }
  if (conn->waiting == 0 && load.latencies == NULL) send_next(conn);
}

static void turn(int patience) {
  struct epoll_event events[EVENTS];
  int n = epoll_wait(load.epoll, events, EVENTS, patience);
  if (n < 0 && errno != EINTR) fail("epoll_wait");
  for (int i = 0; i < n; i++) {
    if (events[i].events & EPOLLOUT) send_more(events[i].data.ptr);
    if (events[i].events & ~(uint32_t)EPOLLOUT) receive(events[i].data.ptr);
  }
}

static void run_closed(uint64_t requests) {
  load.to_send = load.to_get = requests;
  for (unsigned i = 0; i < options.count; i++) send_next(&load.conns[i]);
  while (load.to_get > 0) turn(-1);
}

/* It never sleeps: waking up would be a part of what is measured. */
static void run_open(uint64_t requests) {
  uint64_t start = now_of(CLOCK_MONOTONIC), sent = 0;
  load.to_get = requests;
  load.answered = 0;
  while (load.to_get > 0) {
    uint64_t now = now_of(CLOCK_MONOTONIC), due;
    while (sent < requests &&
           (due = start + sent * 1000000000u / options.rate) <= now) {
      struct conn *conn = &load.conns[sent++ % options.count];
      if (conn->waiting == LATE) answer_fail("too slow for this rate");
      conn->due[(conn->first + conn->waiting++) % LATE] = due;
      send_request(conn);
      if (conn->wants_write) answer_fail("nothing is read any more");
    }
    turn(0);
  }
}

static void run(uint64_t requests) {
  if (options.rate > 0)
    run_open(requests);
  else
    run_closed(requests);
}

/* Learns what a long body looks like (body.h). */
static void run_first(void) {
  load.to_send = load.to_get = options.asked.depth;
  send_next(load.conns);
  while (load.to_get > 0) turn(-1);
}

static void parse_text(char letter, const char *text) {
  struct expected *expected = &options.expected;
  switch (letter) {
    case 't': expected->length = strlen(expected->text = text); break;
    case 'p': options.asked.path = text; break;
    case 'f': options.asked.list = text; break;
    case 'h': requests_add_header(text); break;
    case 'b': options.file = text; break;
    case 'z': options.gzip = true; break;
    default: exit(2);
  }
}

static void check_options(void) {
  unsigned depth = options.asked.depth;
  bool is_single = options.asked.list == NULL && options.file == NULL;
  if (options.count == 0 || depth == 0 || options.requests == 0 ||
      options.requests % depth != 0 || options.warm_up % depth != 0)
    answer_fail("wrong arguments");
  if (options.rate > 0 && (depth > 1 || !is_single))
    answer_fail("an open loop has one short request");
  if (options.file == NULL) return;
  body_expect(options.file, options.gzip);
  options.expected.is_file = true;
  options.expected.length = BODY_MOST;
}

static void parse(int argc, char **argv) {
  static const char letters[] = "c:d:w:n:r:u:l:t:p:h:f:b:z";
  for (int letter; (letter = getopt(argc, argv, letters)) > 0;) {
    unsigned long long number =
      strtoull(optarg != NULL ? optarg : "", NULL, 10);
    switch (letter) {
      case 'c': options.count = (unsigned)number; break;
      case 'd': options.asked.depth = (unsigned)number; break;
      case 'w': options.warm_up = number; break;
      case 'n': options.requests = number; break;
      case 'r': options.rate = number; break;
      case 'u': options.asked.upload = number; break;
      case 'l': options.expected.length = number; break;
      default: parse_text((char)letter, optarg);
    }
  }
  if (argc - optind != 2) answer_fail("wrong arguments");
  check_options();
}

static int compare(const void *a, const void *b) {
  uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
  return (one > other) - (one < other);
}

/* A running process's clock is only brought up to date when it stops. */
static void let_it_rest(void) {
  nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static void measure(clockid_t server) {
  uint64_t cpu = now_of(server), wall = now_of(CLOCK_MONOTONIC);
  uint64_t own = now_of(CLOCK_PROCESS_CPUTIME_ID);
  double requests = (double)options.requests;
  run(options.requests);
  wall = now_of(CLOCK_MONOTONIC) - wall;
  own = now_of(CLOCK_PROCESS_CPUTIME_ID) - own;
  let_it_rest();
  cpu = now_of(server) - cpu;
  printf("%.1f %.1f %.1f", (double)cpu / requests, (double)wall / requests,
         (double)own / requests);
  if (load.latencies != NULL) {
    uint64_t *all = load.latencies, count = load.answered;
    qsort(all, count, sizeof *all, compare);
    printf(" %llu %llu %llu", (unsigned long long)all[count / 2],
           (unsigned long long)all[count * 99 / 100],
           (unsigned long long)all[count - 1]);
  }
  if (options.file != NULL) printf(" %zu", body_size());
  putchar('\n');
}

int main(int argc, char **argv) {
  clockid_t server;
  parse(argc, argv);
  uint64_t most =
    options.requests > options.warm_up ? options.requests : options.warm_up;
  load.epoll = epoll_create1(0);
  load.conns = calloc(options.count, sizeof *load.conns);
  load.buffer = malloc(READ_SIZE);
  if (options.rate > 0) load.latencies = calloc(most, sizeof *load.latencies);
  if (load.epoll < 0 || load.conns == NULL || load.buffer == NULL ||
      (options.rate > 0 && load.latencies == NULL))
    fail("start");
  requests_make(&options.asked, argv[optind], &options.expected);
  errno = clock_getcpuclockid(atoi(argv[optind + 1]), &server);
  if (errno != 0) fail("clock of the server");
  for (unsigned i = 0; i < options.count; i++)
    open_conn(&load.conns[i], (uint16_t)atoi(argv[optind]));
  if (options.file != NULL) run_first();
  if (options.warm_up > 0) run(options.warm_up);
  let_it_rest();
  measure(server);
  return 0;
}

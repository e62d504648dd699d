/* load - drives an echo server: load PORT PID SIZE CONNECTIONS WARMUP COUNT
 *
 * Each connection has exactly one message of SIZE bytes in flight. After
 * WARMUP round trips, COUNT of them are measured. Prints, in ns per round
 * trip: CPU of the server (all threads of PID, user and system), wall time,
 * CPU of this client. What comes back is compared byte for byte in the
 * warm-up; then in every 16th message, and by its length in the others. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { VARIETY = 4096, EVENTS = 256, CHECK_EVERY = 16, SPARE = 64 };

struct conn {
  int fd;
  bool check;       /* compare this message */
  bool wants_write; /* the kernel took only a part of it */
  const char *message;
  size_t sent, received;
};

static struct load {
  int epoll;
  size_t size;
  char *pattern; /* SIZE + VARIETY bytes: a message is a window of it */
  char *buffer;  /* SIZE + SPARE bytes: too long an echo is seen */
  bool check_all;
  uint64_t to_send, to_receive, made;
} load;

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "wrong");
  exit(1);
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
  ssize_t n = send(conn->fd, conn->message + conn->sent, load.size - conn->sent,
                   MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN) fail("send");
  if (n > 0) conn->sent += (size_t)n;
  bool wants_write = conn->sent < load.size;
  if (wants_write == conn->wants_write) return;
  conn->wants_write = wants_write;
  watch(conn, EPOLL_CTL_MOD);
}

static void send_next(struct conn *conn) {
  if (load.to_send == 0) return;
  load.to_send--;
  uint64_t number = load.made++;
  conn->message = load.pattern + number * 61 % VARIETY;
  conn->check = load.check_all || number % CHECK_EVERY == 0;
  conn->sent = conn->received = 0;
  send_more(conn);
}

/* MSG_TRUNC: the kernel drops the bytes instead of copying them. */
static void receive(struct conn *conn) {
  int flags = MSG_DONTWAIT | (conn->check ? 0 : MSG_TRUNC);
  ssize_t n = recv(conn->fd, load.buffer, load.size + SPARE, flags);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) fail("recv: the server is gone");
  errno = 0;
  if (conn->received + (size_t)n > conn->sent) fail("echo too long");
  if (conn->check &&
      memcmp(load.buffer, conn->message + conn->received, (size_t)n) != 0)
    fail("echo differs");
  conn->received += (size_t)n;
  if (conn->received < load.size) return;
  load.to_receive--;
  send_next(conn);
}

static void run(struct conn *conns, int count, uint64_t trips, bool check) {
  struct epoll_event events[EVENTS];
  load.to_send = load.to_receive = trips;
  load.check_all = check;
  for (int i = 0; i < count; i++) send_next(&conns[i]);
  while (load.to_receive > 0) {
    int n = epoll_wait(load.epoll, events, EVENTS, -1);
    if (n < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < n; i++) {
      if (events[i].events & EPOLLOUT) send_more(events[i].data.ptr);
      if (events[i].events & ~(uint32_t)EPOLLOUT) receive(events[i].data.ptr);
    }
  }
}

static void prepare(size_t size) {
  uint32_t random = 2463534242u;
  load.size = size;
  load.epoll = epoll_create1(0);
  load.pattern = malloc(size + VARIETY);
  load.buffer = malloc(size + SPARE);
  if (load.epoll < 0 || load.pattern == NULL || load.buffer == NULL)
    fail("start");
  for (size_t i = 0; i < size + VARIETY; i++) {
    random ^= random << 13, random ^= random >> 17, random ^= random << 5;
    load.pattern[i] = (char)random;
  }
}

/* A running process's clock is only brought up to date when it stops. */
static void let_it_rest(void) {
  nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

int main(int argc, char **argv) {
  clockid_t server;
  if (argc != 7) {
    fprintf(stderr, "usage: load PORT PID SIZE CONNECTIONS WARMUP COUNT\n");
    return 2;
  }
  int count = atoi(argv[4]);
  uint64_t trips = strtoull(argv[6], NULL, 10);
  struct conn *conns = calloc((size_t)count, sizeof *conns);
  if (conns == NULL || trips == 0) fail("arguments");
  prepare(strtoull(argv[3], NULL, 10));
  errno = clock_getcpuclockid(atoi(argv[2]), &server);
  if (errno != 0) fail("clock of the server");
  for (int i = 0; i < count; i++) open_conn(&conns[i], (uint16_t)atoi(argv[1]));
  run(conns, count, strtoull(argv[5], NULL, 10), true);
  let_it_rest();
  uint64_t cpu = now_of(server), wall = now_of(CLOCK_MONOTONIC);
  uint64_t own = now_of(CLOCK_PROCESS_CPUTIME_ID);
  run(conns, count, trips, false);
  wall = now_of(CLOCK_MONOTONIC) - wall;
  own = now_of(CLOCK_PROCESS_CPUTIME_ID) - own;
  let_it_rest();
  cpu = now_of(server) - cpu;
  printf("%.1f %.1f %.1f\n", (double)cpu / (double)trips,
         (double)wall / (double)trips, (double)own / (double)trips);
  return 0;
}

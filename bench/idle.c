/* idle - memory of idle connections: idle PORT PID COUNT [http]
 *
 * Opens COUNT connections to an echo server; each sends one message of 64
 * bytes and gets it back; or to an HTTP server, each with one request for
 * "Hello, World!". Then all are silent. Prints by how many bytes each
 * made the server (PID) grow: RSS, and anonymous memory alone. At last every
 * connection is used once more: they all have to be alive still. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64, WARM = 64, ANSWER = 1024 };

static bool http;

struct memory {
  long rss, anonymous; /* KiB */
};

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "idle: %s: %s\n", what, errno ? strerror(errno) : "wrong");
  exit(1);
}

static struct memory memory_of(const char *pid) {
  struct memory memory = {-1, -1};
  char line[256];
  snprintf(line, sizeof line, "/proc/%s/smaps_rollup", pid);
  FILE *file = fopen(line, "r");
  if (file == NULL) fail(line);
  while (fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "Rss: %ld", &memory.rss) == 1) continue;
    sscanf(line, "Anonymous: %ld", &memory.anonymous);
  }
  fclose(file);
  if (memory.rss < 0 || memory.anonymous < 0) fail("smaps_rollup");
  return memory;
}

static int open_conn(const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(port)),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct timeval patience = {.tv_sec = 10};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) fail("socket");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
    fail("connect");
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

static void echo(int fd, int number) {
  char sent[SIZE], back[SIZE];
  for (int i = 0; i < SIZE; i++) sent[i] = (char)(number + i);
  if (send(fd, sent, SIZE, MSG_NOSIGNAL) != SIZE) fail("send");
  if (recv(fd, back, SIZE, MSG_WAITALL) != SIZE) fail("recv");
  errno = 0;
  if (memcmp(sent, back, SIZE) != 0) fail("echo differs");
}

static void ask(int fd) {
  static const char question[] =
    "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  static const char status[] = "HTTP/1.1 200 ", body[] = "Hello, World!";
  char answer[ANSWER];
  size_t asked = sizeof question - 1, begin = sizeof status - 1;
  size_t end = sizeof body - 1, got = 0;
  if (send(fd, question, asked, MSG_NOSIGNAL) != (ssize_t)asked) fail("send");
  while (got < end || memcmp(answer + got - end, body, end) != 0) {
    ssize_t n = recv(fd, answer + got, ANSWER - got, 0);
    if (n <= 0) fail("recv");
    got += (size_t)n;
  }
  errno = 0;
  if (memcmp(answer, status, begin) != 0) fail("answer");
}

static void use(int fd, int number) {
  if (http)
    ask(fd);
  else
    echo(fd, number);
}

static void open_all(int *fds, int count, const char *port) {
  for (int i = 0; i < count; i++) {
    fds[i] = open_conn(port);
    use(fds[i], i);
  }
}

static void settle(void) {
  nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
}

int main(int argc, char **argv) {
  http = argc == 5 && strcmp(argv[4], "http") == 0;
  if (argc != 4 && !http) {
    fprintf(stderr, "usage: idle PORT PID COUNT [http]\n");
    return 2;
  }
  int count = atoi(argv[3]), warm[WARM];
  int *fds = count > 0 ? calloc((size_t)count, sizeof *fds) : NULL;
  if (fds == NULL) fail("arguments");
  open_all(warm, WARM, argv[1]);
  for (int i = 0; i < WARM; i++) close(warm[i]);
  settle();
  struct memory before = memory_of(argv[2]);
  open_all(fds, count, argv[1]);
  settle();
  struct memory after = memory_of(argv[2]);
  for (int i = 0; i < count; i++) use(fds[i], i);
  printf("%.1f %.1f\n", (double)(after.rss - before.rss) * 1024 / count,
         (double)(after.anonymous - before.anonymous) * 1024 / count);
  return 0;
}

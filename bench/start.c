/* start - what one run of a program costs: start COUNT PROGRAM [ARG...]
 *
 * Runs PROGRAM COUNT times, one after the other, and prints a line for each:
 * wall µs from fork to its end, user + system µs, max RSS in KiB, exit status.
 * Its own output comes before that line. (A program that needs less memory
 * than this helper shows the helper's: a vforked child begins in that.) */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double micros(struct timeval t) {
  return (double)t.tv_sec * 1e6 + (double)t.tv_usec;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static pid_t start(char **argv) {
  pid_t pid = vfork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  execvp(argv[0], argv);
  _exit(127);
}

static int run(char **argv) {
  struct rusage usage;
  int status;
  double begin = now();
  pid_t pid = start(argv);
  if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
    perror("start");
    return 1;
  }
  double wall = now() - begin;
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  printf("%.1f %.0f %ld %d\n", wall,
         micros(usage.ru_utime) + micros(usage.ru_stime), usage.ru_maxrss,
         code);
  fflush(stdout);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: start COUNT PROGRAM [ARG...]\n");
    return 2;
  }
  for (int left = atoi(argv[1]); left > 0; left--)
    if (run(argv + 2) != 0) return 1;
  return 0;
}

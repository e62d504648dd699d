/* child - becomes a contestant: child CORE SECONDS FILES PROGRAM [ARG...]
 *
 * Pins itself to the CORE-th core it may use (-1: none), ends after SECONDS,
 * may open FILES descriptors (0: as inherited), dies with the runner, prints
 * its pid on a line of its own and execs PROGRAM, which so has this pid. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(127);
}

static void pin(int nth) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed) < 0) fail("getaffinity");
  if (nth < 0 || nth >= CPU_COUNT(&allowed)) return;
  size_t core = 0;
  for (;; core++)
    if (CPU_ISSET(core, &allowed) && nth-- == 0) break;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  if (sched_setaffinity(0, sizeof one, &one) < 0) fail("setaffinity");
}

static void allow_files(rlim_t count) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) fail("getrlimit");
  if (limit.rlim_cur >= count) return;
  limit.rlim_cur = count;
  if (limit.rlim_max < count) limit.rlim_max = count;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) fail("descriptor limit");
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: child CORE SECONDS FILES PROGRAM [ARG...]\n");
    return 2;
  }
  pin(atoi(argv[1]));
  allow_files((rlim_t)atol(argv[3]));
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail("prctl");
  alarm((unsigned)atoi(argv[2])); /* survives exec */
  printf("%ld\n", (long)getpid());
  fflush(stdout);
  execvp(argv[4], argv + 4);
  fail(argv[4]);
}

/* beneath_run.h - a directory with all that may lie in one, and what of it can be
 * had: the same for each way in which beneath.c does it, but for links, which
 * not all of them follow (LINKS), and directories that may not be read, which not
 * all of them go through (SEARCHES). For the tests that include it. */
#ifndef SPEC_C_BENEATH_RUN_H
#define SPEC_C_BENEATH_RUN_H

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { LONGEST = 255 };

static char root_path[] = "/tmp/neap-beneath-XXXXXX";

static void make_file(int root, const char *name) {
  int fd = openat(root, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  assert(fd >= 0 && write(fd, name, strlen(name)) >= 0);
  close(fd);
}

static void make_link(int root, const char *target, const char *name) {
  assert(symlinkat(target, root, name) == 0);
}

static void make_socket(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(address.sun_path, sizeof address.sun_path, "%s/r/socket", root_path);
  assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
  close(fd);
}

static const char *longest(void) {
  static char name[LONGEST + 1];
  memset(name, 'x', LONGEST);
  return name;
}

static int make_root(void) {
  char path[64];
  assert(mkdtemp(root_path) != NULL);
  snprintf(path, sizeof path, "%s/r", root_path);
  assert(mkdir(path, 0755) == 0);
  int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  assert(root >= 0);
  make_file(root, "../secret");
  assert(mkdirat(root, "sub", 0755) == 0);
  assert(mkdirat(root, "sub/deep", 0755) == 0);
  assert(mkdirat(root, "through", 0711) == 0);
  make_file(root, "a");
  make_file(root, "sub/b");
  make_file(root, "sub/deep/c");
  make_file(root, "through/d");
  make_file(root, "\x01\\\xff ..");
  make_file(root, longest());
  assert(mkfifoat(root, "pipe", 0644) == 0);
  make_socket();
  make_link(root, "a", "in");
  make_link(root, "sub", "directory");
  make_link(root, "../a", "sub/in");
  make_link(root, "in", "twice");
  make_link(root, "../secret", "out");
  make_link(root, "sub/../../secret", "winding");
  make_link(root, "/etc/passwd", "absolute");
  make_link(root, "..", "up");
  make_link(root, "/", "top");
  make_link(root, "/proc/self/root", "magic");
  make_link(root, "/dev/null", "device");
  make_link(root, "pipe", "to a pipe");
  make_link(root, "none", "dangling");
  make_link(root, "loop", "loop");
  make_link(root, "pong", "ping");
  make_link(root, "ping", "pong");
  return root;
}

static const struct row {
  const char *name;
  char with_links, without; /* 'f', 'd', or '-': it cannot be had */
  int status;               /* why not, where that is always the same */
} rows[] = {
  {"", 'd', 'd', 0},
  {"a", 'f', 'f', 0},
  {"sub", 'd', 'd', 0},
  {"sub/", 'd', 'd', 0},
  {"sub/b", 'f', 'f', 0},
  {"sub/deep/c", 'f', 'f', 0},
  {"\x01\\\xff ..", 'f', 'f', 0},
  {"in", 'f', '-', 0},
  {"sub/in", 'f', '-', 0},
  {"twice", 'f', '-', 0},
  {"directory", 'd', '-', 0},
  {"directory/b", 'f', '-', 0},
  /* not there */
  {"none", '-', '-', UV_ENOENT},
  {"sub/none", '-', '-', UV_ENOENT},
  {"none/a", '-', '-', UV_ENOENT},
  {"a/b", '-', '-', UV_ENOTDIR},
  {"dangling", '-', '-', 0},
  {"loop", '-', '-', 0},
  {"ping", '-', '-', 0},
  {"ping/a", '-', '-', 0},
  /* neither a file nor a directory */
  {"pipe", '-', '-', UV_ENXIO},
  {"socket", '-', '-', UV_ENXIO},
  {"to a pipe", '-', '-', UV_ENXIO},
  {"device", '-', '-', 0},
  /* outside */
  {"..", '-', '-', UV_EXDEV},
  {"../secret", '-', '-', UV_EXDEV},
  {"sub/../../secret", '-', '-', UV_EXDEV},
  {"sub/deep/../../../secret", '-', '-', UV_EXDEV},
  {"/", '-', '-', UV_EXDEV},
  {"/etc/passwd", '-', '-', UV_EXDEV},
  {"out", '-', '-', 0},
  {"winding", '-', '-', 0},
  {"absolute", '-', '-', 0},
  {"up", '-', '-', 0},
  {"up/secret", '-', '-', 0},
  {"up/r/a", '-', '-', 0},
  {"top", '-', '-', 0},
  {"top/etc/passwd", '-', '-', 0},
  {"magic", '-', '-', 0},
  {"magic/etc/passwd", '-', '-', 0},
};

static int count_descriptors(void) {
  int count = 0;
  DIR *directory = opendir("/dev/fd");
  if (directory == NULL) return 0;
  while (readdir(directory) != NULL) count++;
  closedir(directory);
  return count;
}

static char kind_of(const struct stat *about) {
  if (S_ISREG(about->st_mode)) return 'f';
  return S_ISDIR(about->st_mode) ? 'd' : '?';
}

static void check_row(int root, const struct row *row) {
  struct stat about;
  char expected = LINKS ? row->with_links : row->without;
  int before = count_descriptors();
  int fd = beneath_open_to_read(root, row->name, &about);
  char found = fd < 0 ? '-' : kind_of(&about);
  bool right = found == expected && (row->status == 0 || fd == row->status);
  if (!right) fprintf(stderr, "'%s': %c %d\n", row->name, found, fd);
  assert(right);
  if (fd >= 0) close(fd);
  assert(count_descriptors() == before);
}

static void check_contents(int root) {
  char text[16];
  struct stat about;
  int fd = beneath_open_to_read(root, "sub/deep/c", &about);
  assert(read(fd, text, sizeof text) == 10 && about.st_size == 10);
  assert(memcmp(text, "sub/deep/c", 10) == 0);
  assert((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  close(fd);
}

static void check_long_names(int root) {
  static char text[3000];
  struct stat about;
  int fd = beneath_open_to_read(root, longest(), &about);
  assert(fd >= 0);
  close(fd);
  for (size_t size = LONGEST + 1; size < sizeof text; size += 100) {
    memset(text, 'x', size);
    assert(beneath_open_to_read(root, text, &about) < 0);
  }
}

/* As somebody to whom not everything is allowed. */
static void see_denied(int root) {
  struct stat about;
  if (geteuid() == 0) assert(setgid(65534) == 0 && setuid(65534) == 0);
  assert(beneath_open_to_read(root, "a", &about) == UV_EACCES);
  assert(beneath_open_to_read(root, "sub/b", &about) == UV_EACCES);
  assert(beneath_open_to_read(root, "through", &about) == UV_EACCES);
  int fd = beneath_open_to_read(root, "through/d", &about);
  assert(fd >= 0 || !SEARCHES);
  _exit(0);
}

static void check_denied(int root) {
  int status;
  assert(fchmodat(root, "a", 0, 0) == 0);
  assert(fchmodat(root, "sub", 0, 0) == 0);
  assert(fchmodat(root, "through", 0111, 0) == 0);
  pid_t child = fork();
  if (child == 0) see_denied(root);
  assert(waitpid(child, &status, 0) == child && status == 0);
  assert(fchmodat(root, "sub", 0755, 0) == 0);
  assert(fchmodat(root, "through", 0755, 0) == 0);
}

static void run_beneath(void) {
  char command[96];
  alarm(30); /* nothing waits for who writes into a pipe */
  int root = make_root();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    check_row(root, &rows[i]);
  check_contents(root);
  check_long_names(root);
  check_denied(root);
  close(root);
  snprintf(command, sizeof command, "rm -r %s", root_path);
  assert(system(command) == 0);
}

#endif

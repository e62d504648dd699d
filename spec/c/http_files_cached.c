/* http_files_cached.c - cached.h: what it gives at once, and that it leaves to a
 * thread what it does not know. Where a system has no such thing all of it is
 * left to threads. */
#include "modules/http/files/cached.h"

#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static char root_path[] = "/tmp/neap-cached-XXXXXX";

static void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  assert(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void make_files(void) {
  assert(mkdtemp(root_path) != NULL && chdir(root_path) == 0);
  assert(mkdir("root", 0700) == 0 && mkdir("root/sub", 0700) == 0);
  write_file("root/a", "0123456789");
  write_file("secret", "secret");
  assert(symlink("a", "root/inside") == 0);
  assert(symlink("../secret", "root/outside") == 0);
  assert(mkfifo("root/pipe", 0600) == 0);
}

static void remove_files(void) {
  static const char *const names[] = {
    "root/a",   "root/inside", "root/outside", "root/pipe",
    "root/sub", "root",        "secret",       root_path};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    assert(remove(names[i]) == 0);
}

static int open_in(const char *root_name, const char *name,
                   struct stat *about) {
  int root = cached_open_root(root_name);
  if (root < 0) return root;
  int fd = cached_open_to_read(root, name, about);
  close(root);
  return fd;
}

/* Names may be in doubt for a moment, while others rename something, anywhere; and
 * a link that has never been followed is to be marked as read: a thread does. */
static int open_patiently(const char *root_name, const char *name,
                          struct stat *about) {
  int fd = UV_EAGAIN;
  for (int i = 0; fd == UV_EAGAIN && i < 10000; i++) {
    stat("root/inside", about);
    stat("root/outside", about);
    fd = root_name == NULL ? cached_open_to_read(AT_FDCWD, name, about)
                           : open_in(root_name, name, about);
  }
  return fd;
}

/* Nothing is known yet. */
static void test_unknown(void) {
  struct stat about;
  assert(open_in("root", "a", &about) == UV_EAGAIN);
  assert(cached_open_to_read(AT_FDCWD, "root/a", &about) == UV_EAGAIN);
}

/* False: this system has no such thing, or not for this directory. */
static bool learn(void) {
  struct stat about;
  int fd = open("root/a", O_RDONLY);
  assert(fd >= 0 && fstat(fd, &about) == 0);
  cached_learn(fd, about.st_dev);
  cached_learn(fd, about.st_dev);
  close(fd);
  fd = open_patiently("root", "a", &about);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

/* Or it is left to a thread, which knows better. */
static void check(const char *name, int expected) {
  struct stat about;
  int fd = open_in("root", name, &about);
  assert(fd == expected || fd == UV_EAGAIN);
}

static void test_names(void) {
  struct stat about;
  check("none", UV_ENOENT);
  check("a/b", UV_ENOTDIR);
  check("outside", UV_EXDEV);
  check("../secret", UV_EXDEV);
  check("pipe", UV_ENXIO);
  assert(open_in("none", "a", &about) < 0 &&
         open_in("secret", "a", &about) < 0);
  int fd = open_patiently("root", "", &about);
  assert(fd >= 0 && S_ISDIR(about.st_mode));
  close(fd);
  fd = open_patiently(NULL, "root/outside", &about);
  assert(fd >= 0 && about.st_size == 6); /* whoever names it may follow it */
  close(fd);
}

static void test_contents(void) {
  struct stat about, known;
  char text[11] = "";
  int fd = open_patiently("root", "inside", &about);
  assert(fd >= 0 && fstat(fd, &known) == 0);
  assert(about.st_dev == known.st_dev && about.st_ino == known.st_ino);
  assert(about.st_mode == known.st_mode && about.st_size == 10);
  assert(about.st_mtim.tv_sec == known.st_mtim.tv_sec);
  assert(about.st_mtim.tv_nsec == known.st_mtim.tv_nsec);
  int looked = cached_look(AT_FDCWD, "root/a", &about);
  assert(looked == UV_EAGAIN || (looked == 0 && about.st_size == 10));
  assert(cached_read(fd, text, 0) == 0);
  int status = cached_read(fd, text, 10);
  assert(status == UV_EAGAIN ||
         (status == 0 && strcmp(text, "0123456789") == 0));
  assert(cached_read(fd, text, 11) == UV_EAGAIN); /* it has become shorter */
  close(fd);
}

int main(void) {
  make_files();
  test_unknown();
  if (learn()) {
    test_names();
    test_contents();
  }
  remove_files();
  return 0;
}

/* walk - the limit for walking a tree: walk DIRECTORY prints how many entries
 * are below it, having made the path of each. walk DIRECTORY COUNT makes a tree
 * of about so many, in directories of a hundred, unless it is there. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 99, DIRECTORIES = 10, PATH_MOST = 4096 };

static long count;
static char path[PATH_MOST];

/* Recursive, as deep as the tree: it is ours. */
static void walk(int fd, size_t size) {
  const struct dirent *entry;
  DIR *dir = fdopendir(fd);
  if (dir == NULL) exit(1);
  while ((entry = readdir(dir)) != NULL) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    size_t length = strlen(name);
    if (size + length + 2 > PATH_MOST) exit(1);
    path[size] = '/';
    memcpy(path + size + 1, name, length + 1);
    count++;
    if (entry->d_type != DT_DIR) continue;
    int child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (child < 0) exit(1);
    walk(child, size + 1 + length);
  }
  closedir(dir);
}

/* Into the directory of that name, which is new. */
static void enter(const char *prefix, long number) {
  char name[32];
  snprintf(name, sizeof name, "%s%ld", prefix, number);
  if (mkdir(name, 0777) < 0 || chdir(name) < 0) exit(1);
}

static void make(long wanted) {
  for (long made = 0; made < wanted;) {
    enter("directory", made);
    made++;
    for (int i = 0; i < DIRECTORIES && made < wanted; i++) {
      enter("part", i);
      made++;
      for (int j = 0; j < FILES && made < wanted; j++, made++) {
        char name[32];
        snprintf(name, sizeof name, "file%d.txt", j);
        int fd = open(name, O_WRONLY | O_CREAT, 0666);
        if (fd < 0 || close(fd) < 0) exit(1);
      }
      if (chdir("..") < 0) exit(1);
    }
    if (chdir("..") < 0) exit(1);
  }
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  if (argc > 2) {
    if (mkdir(argv[1], 0777) < 0) return 0; /* it is there */
    if (chdir(argv[1]) < 0) return 1;
    make(atol(argv[2]));
    return 0;
  }
  size_t size = strlen(argv[1]);
  if (size >= PATH_MOST) return 1;
  memcpy(path, argv[1], size + 1);
  walk(open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC), size);
  printf("%ld\n", count);
  return 0;
}

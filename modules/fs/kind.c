/* kind.c - what a name stands for, in the words of scripts. The system tells it
 * in two ways, as a mode and as the d_type of an entry. */
#include "modules/fs/kind.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static const char *const names[] = {
  "unknown", "file", "directory", "link", "fifo", "socket", "char", "block",
};

const char *kind_name(enum kind kind) {
  return names[kind];
}

enum kind kind_of_mode(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return KIND_FILE;
    case S_IFDIR: return KIND_DIRECTORY;
    case S_IFLNK: return KIND_LINK;
    case S_IFIFO: return KIND_FIFO;
    case S_IFSOCK: return KIND_SOCKET;
    case S_IFCHR: return KIND_CHAR;
    case S_IFBLK: return KIND_BLOCK;
    default: return KIND_UNKNOWN;
  }
}

static enum kind kind_of_type(unsigned char type) {
  switch (type) {
    case DT_REG: return KIND_FILE;
    case DT_DIR: return KIND_DIRECTORY;
    case DT_LNK: return KIND_LINK;
    case DT_FIFO: return KIND_FIFO;
    case DT_SOCK: return KIND_SOCKET;
    case DT_CHR: return KIND_CHAR;
    case DT_BLK: return KIND_BLOCK;
    default: return KIND_UNKNOWN;
  }
}

/* Some file systems leave d_type to whoever asks. */
enum kind kind_of_entry(int fd, const char *name, unsigned char known,
                        bool follow) {
  struct stat info;
  enum kind kind = kind_of_type(known);
  if (kind == KIND_UNKNOWN &&
      fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0)
    kind = kind_of_mode(info.st_mode);
  if (kind == KIND_LINK && follow && fstatat(fd, name, &info, 0) == 0)
    kind = kind_of_mode(info.st_mode);
  return kind;
}

/* kind.h - what a name in a directory stands for: a file, a directory ... */
#ifndef MODULES_FS_KIND_H
#define MODULES_FS_KIND_H

#include <stdbool.h>
#include <sys/types.h>

enum kind {
  KIND_UNKNOWN,
  KIND_FILE,
  KIND_DIRECTORY,
  KIND_LINK,
  KIND_FIFO,
  KIND_SOCKET,
  KIND_CHAR,
  KIND_BLOCK
};

enum kind kind_of_mode(mode_t mode); /* of struct stat */
const char *kind_name(enum kind kind);
/* The name in the directory `fd`; `known` is what readdir said, d_type: mostly
 * no call of the system is needed. With `follow` a link is what it leads to,
 * where that is there. */
enum kind kind_of_entry(int fd, const char *name, unsigned char known,
                        bool follow);

#endif

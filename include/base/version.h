/* What the program calls itself, to people and to other programs. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define XMPPROXY_NAME    "xmpproxy"
#define XMPPROXY_VERSION "0.1.0"

#endif

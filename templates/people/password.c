/* slapd asks here whether a password is accepted (slapo-ppolicy(5), ppolicy_check_module); here
 * danhba-password.socket is asked. Built when slapd starts, by tcc, without any header: so what
 * is needed of libc and of slapd's slap.h is declared. Whatever goes wrong is a refusal. */

struct berval { unsigned long length; char *text; };
struct entry { unsigned long id; struct berval name, normalized; }; /* the beginning of Entry */
struct address { unsigned short family; char path[108]; };          /* unix(7) */
struct interval { long seconds, microseconds; };

enum { UNIX = 1, STREAM = 1, SOCKET = 1, RECEIVE_TIMEOUT = 20, SEND_TIMEOUT = 21, NOSIGNAL = 0x4000 };
enum { ACCEPTED = 0, REFUSED = 80 };

int socket(int, int, int);
int setsockopt(int, int, int, const void *, unsigned);
int connect(int, const void *, unsigned);
long send(int, const void *, unsigned long, int);
long recv(int, void *, unsigned long, int);
int close(int);
unsigned long strlen(const char *);

/* The DN, a zero, the password, a zero. */
static int ask(int door, const struct berval *dn, const char *password)
{
    unsigned long size = strlen(password) + 1;

    return send(door, dn->text, dn->length, NOSIGNAL) == (long)dn->length
        && send(door, "", 1, NOSIGNAL) == 1
        && send(door, password, size, NOSIGNAL) == (long)size;
}

/* "+" when the password is accepted, else the reason, until the other side closes. */
static int heard(int door, struct berval *reason)
{
    unsigned long at = 0;
    long got;

    while (at + 1 < reason->length && (got = recv(door, reason->text + at, reason->length - at - 1, 0)) > 0)
        at += got;
    reason->text[at] = 0;
    return at == 1 && reason->text[0] == '+';
}

int check_password(const char *password, struct berval *reason, struct entry *entry, void *unused)
{
    static const struct interval patience = {5, 0};
    static const struct address judge = {UNIX, "{{ socket }}"};
    int door = socket(UNIX, STREAM, 0), accepted = 0;

    reason->text[0] = 0;
    if (door < 0)
        return REFUSED;
    setsockopt(door, SOCKET, RECEIVE_TIMEOUT, &patience, sizeof patience);
    setsockopt(door, SOCKET, SEND_TIMEOUT, &patience, sizeof patience);
    if (connect(door, &judge, sizeof judge) == 0 && ask(door, &entry->normalized, password))
        accepted = heard(door, reason);
    close(door);
    return accepted ? ACCEPTED : REFUSED;
}

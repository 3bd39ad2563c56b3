"""The headers that come with a compiler or an operating system: ISO C, ISO C++, POSIX, and the common ones beside."""

_C_AND_POSIX = """
    aio alloca arpa/inet assert complex cpio ctype dirent dlfcn elf endian err errno fcntl features fenv float
    fnmatch ftw getopt glob grp iconv ifaddrs inttypes io iso646 langinfo libgen limits locale malloc math memory
    monetary mqueue ndbm net/if netdb netinet/in netinet/tcp nl_types poll pthread pwd regex sched search semaphore
    setjmp signal spawn stdalign stdarg stdatomic stdbit stdbool stdckdint stddef stdint stdio stdlib stdnoreturn
    string strings stropts sys/epoll sys/file sys/ioctl sys/ipc sys/mman sys/msg sys/param sys/resource sys/select
    sys/sem sys/shm sys/signal sys/socket sys/stat sys/statvfs sys/syscall sys/sysctl sys/sysinfo sys/time sys/times
    sys/types sys/uio sys/un sys/utsname sys/wait syslog tar termios tgmath threads time uchar ucontext ulimit
    unistd utime utmpx wchar wctype windows winsock2 wordexp
"""
_CPP = """
    algorithm any array atomic barrier bit bitset cassert ccomplex cctype cerrno cfenv cfloat charconv chrono
    cinttypes climits clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal
    cstdarg cstdbool cstddef cstdint cstdio cstdlib cstring ctgmath ctime cuchar cwchar cwctype deque exception
    execution expected filesystem flat_map flat_set format forward_list fstream functional future generator
    initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map mdspan memory
    memory_resource mutex new numbers numeric optional ostream print queue random ranges ratio regex
    scoped_allocator semaphore set shared_mutex source_location span spanstream sstream stack stacktrace stdexcept
    stdfloat stop_token streambuf string string_view strstream syncstream system_error thread tuple type_traits
    typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
"""
STANDARD_HEADERS = frozenset([name + ".h" for name in _C_AND_POSIX.split()] + _CPP.split())

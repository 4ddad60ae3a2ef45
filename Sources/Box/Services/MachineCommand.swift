import Glibc
import NIOPosix

/// Runs a program of the machine's that may outlive this process, such as the one that shuts the machine down.
/// - Parameter words: the program, looked for as a shell does, and its arguments.
/// - Returns: its exit status; 127 when there is no such program, 128 and more when a signal ended it.
func runMachineCommand(_ words: [String]) async -> Int32 {
    let status = try? await NIOThreadPool.singleton.runIfActive { () -> Int32 in
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid = pid_t()
        // What this process ignores, a program that is started takes over.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        guard let program = words.first, posix_spawnp(&pid, program, nil, &attributes, &arguments, environ) == 0 else {
            return 127
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { return 127 }
        }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }
    return status ?? 127
}

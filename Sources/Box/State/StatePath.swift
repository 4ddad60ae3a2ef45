import Glibc

extension StateDirectory {
    /// The name of the directory under its parent.
    static let directoryName = "kibitz-local"

    /// Where the state lives when nobody says otherwise: `/var/lib/kibitz-local` for root (Filesystem Hierarchy
    /// Standard, section 5.8), for a person `kibitz-local` under `$XDG_STATE_HOME` or `~/.local/state` (XDG Base
    /// Directory Specification).
    /// - Parameters:
    ///   - userID: the effective number of the user, 0 for root.
    ///   - environment: the process's environment.
    /// - Returns: nil when a person has neither `XDG_STATE_HOME` nor `HOME`: then only `--state` helps.
    public static func defaultPath(userID: UInt32, environment: [String: String]) -> String? {
        if userID == 0 { return "/var/lib/\(directoryName)" }
        // The specification has a relative path ignored.
        if let base = environment["XDG_STATE_HOME"], base.hasPrefix("/") { return "\(base)/\(directoryName)" }
        if let home = environment["HOME"], home.hasPrefix("/") { return "\(home)/.local/state/\(directoryName)" }
        return nil
    }

    /// The number of the group `name`, for ``init(path:group:)``.
    /// - Parameter name: the group's name, for example `kibitz`.
    /// - Returns: nil when the system has no such group.
    public static func groupID(named name: String) -> UInt32? {
        var entry = group()
        var found: UnsafeMutablePointer<group>?
        var size = 1024
        // A group with many members needs a larger buffer (getgrnam_r(3)); 1 MB holds any.
        while size <= 1 << 20 {
            var buffer = [CChar](repeating: 0, count: size)
            let code = getgrnam_r(name, &entry, &buffer, size, &found)
            if code == ERANGE {
                size *= 4
                continue
            }
            return code == 0 && found != nil ? entry.gr_gid : nil
        }
        return nil
    }
}

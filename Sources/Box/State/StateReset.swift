import Glibc
import Synchronization

/// The file that says that all else of the box goes. Behind its first line it holds the names of what stays, one on each line.
let resetMarker = "reset"
private let resetForm = "kibitz-local reset 1\n"

extension StateDirectory {
    /// The names of all that a box, or an earlier version of it, keeps in its directory. Nothing else is removed but unfinished
    /// files, as it is somebody else's: who writes a new file adds its name here.
    static let ownNames: Set<String> = [
        "key", "room", "retired", "certificate-authority.pem", "certificate.pem", "hub", "hub-ids", "relay-link.txt",
        "lan",
        "dnsmasq.conf", "leases", "portal", "control.sock", "panel", "panel.png", "panel.png.new", "doctor",
    ]

    /// Whether a box has kept its state at a path: what else may be there is nobody's to remove.
    ///
    /// It is known by what its files say; many programs have files of such names.
    public static func isState(at path: String) -> Bool {
        let number = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { return false }
        return Descriptor(number).holdsState
    }

    static func isOwn(_ name: String) -> Bool { ownNames.contains(name) || name.hasPrefix(temporaryPrefix) }

    /// Decides that everything of the box in the directory goes, and nothing is removed yet: that is for ``reset()``, when nobody needs
    /// it any more. Whatever happens once this has returned, a loss of power too, the next box finds none of it.
    /// - Parameter files: paths of files that stay if they happen to be in the directory: the owner's own.
    /// - Throws: ``StateError``; nothing has been decided then.
    public func prepareReset(keeping files: [String] = []) throws(StateError) {
        let names = files.compactMap(ownName).filter { !$0.contains("\n") }
        try attempting("write", path(of: resetMarker)) { () throws(ErrorNumber) in
            let text = resetForm + names.map { "\($0)\n" }.joined()
            let temporary = "\(Self.temporaryPrefix)\(resetMarker)"
            // One of an attempt that failed.
            try? calls.remove(temporary, in: directory.number)
            do throws(ErrorNumber) {
                try calls.replace(resetMarker, with: Array(text.utf8), by: temporary, in: directory.number)
            } catch {
                // It may be there already and not be durable: the caller hears that nothing happens.
                try? calls.remove(resetMarker, in: directory.number)
                throw error
            }
        }
    }

    /// Removes what ``prepareReset(keeping:)`` decided on; from then on nothing is written. Without that, nothing happens.
    /// - Throws: ``StateError``; what is left is removed by the next box.
    public func reset() throws(StateError) {
        try isReset.withLock { isReset throws(StateError) in
            do throws(StateError) {
                isReset = try finishReset()
            } catch {
                isReset = true
                throw error
            }
        }
    }

    /// Removes everything of the box if that was decided on.
    @discardableResult func finishReset() throws(StateError) -> Bool {
        let text = try attempting("read", path(of: resetMarker)) { () throws(ErrorNumber) -> [UInt8]? in
            try directory.open(resetMarker)?.read(atMost: Self.defaultLimit)
        }
        guard let text else { return false }
        let kept = Set(String(decoding: text, as: UTF8.self).split(separator: "\n").dropFirst().map(String.init))
        let names = directory.names()
        // A list that could not be read is empty.
        guard names.contains(resetMarker) else { throw StateError(.system(EIO), path: path, operation: "list") }
        for name in names where Self.isOwn(name) && !kept.contains(name) {
            try attempting("remove", path(of: name)) { () throws(ErrorNumber) in
                do throws(ErrorNumber) {
                    try calls.remove(name, in: directory.number)
                } catch {
                    // The box makes no directories: one is the owner's.
                    guard error.code == EISDIR || error.code == ENOENT else { throw error }
                }
            }
        }
        try attempting("remove", path(of: resetMarker)) { () throws(ErrorNumber) in
            // The marker goes when all else is surely gone.
            try calls.synchronize(directory.number)
            try calls.remove(resetMarker, in: directory.number)
            try calls.synchronize(directory.number)
        }
        return true
    }

    /// The name a file has in this directory; nil when it is in another one.
    private func ownName(_ path: String) -> String? {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let parent = path.contains("/") ? String(path.dropLast(name.utf8.count)) : "."
        var status = stat()
        guard stat(parent, &status) == 0, let own = try? directory.status() else { return nil }
        return status.st_dev == own.st_dev && status.st_ino == own.st_ino ? name : nil
    }
}

extension Descriptor {
    /// Whether a box has kept its state in this directory: one of its files begins as only the box's do.
    var holdsState: Bool {
        ["key", "room", "hub", "portal", "lan", resetMarker].contains { name in
            guard let file = try? open(name), let bytes = try? file.read(atMost: 64) else { return false }
            return bytes.starts(with: "kibitz-local ".utf8)
        }
    }
}

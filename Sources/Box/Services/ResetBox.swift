import BoxConfiguration
import BoxState

/// Makes a box as it was when it was new, whether it runs or not.
/// - Parameter options: which box.
/// - Returns: whether it runs; it ends by itself then.
/// - Throws: errors whose description tells the owner what to do.
public func resetBox(_ options: BoxOptions) throws -> Bool {
    let path = try stateDirectoryPath(options.state)
    do throws(ControlClient.Failure) {
        try ControlClient(state: path).reset()
        return true
    } catch {
        guard case .notRunning = error else { throw error }
    }
    guard StateDirectory.isState(at: path) else { throw NoState(path: path) }
    // The lock sees to it that no box starts meanwhile. Settings that can't be read name no files.
    let files = (try? options.loadConfiguration())?.configuration.ownersFiles ?? []
    let state = try StateDirectory(path: path)
    try state.prepareReset(keeping: files + [options.config].compactMap(\.self))
    try state.reset()
    return false
}

/// There is nothing of a box to remove.
public struct NoState: Error, CustomStringConvertible {
    let path: String
    /// What is wrong, and what to do about it.
    public var description: String {
        "no box has kept anything in \(path); name the box's state directory with --state"
    }
}

extension BoxConfiguration {
    /// Files of the owner's that the settings name.
    var ownersFiles: [String] { certificate.map { [$0.chain, $0.key] } ?? [] }
}

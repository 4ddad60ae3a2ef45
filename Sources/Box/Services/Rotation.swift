import BoxRoom
import BoxState
import Credentials
import Logging
import NIOPosix
import Synchronization

/// Changes of the room's codes, one at a time.
final class Rotation: Sendable {
    /// What comes after the new codes are on the disk: everyone is told, the access point changes, the panel shows them.
    typealias FollowUp = @Sendable (_ former: RoomCredentials, _ present: RoomCredentials) async -> Void

    private let retryDelay: Duration
    private let authority: RoomAuthority
    private let logger: Logger
    private let onTrouble: @Sendable () -> Void
    private let present = Mutex<Task<RoomCredentials, any Error>?>(nil)
    private let failure = Mutex(Failure())

    private struct Failure {
        var error: StateError?
        /// Who looks at the storage again and again: one at most.
        var watchers = 0
    }

    /// Makes what changes the codes.
    /// - Parameters:
    ///   - retryDelay: from a failure of the storage to the next look at it.
    ///   - onTrouble: called when ``trouble`` has changed.
    init(
        authority: RoomAuthority, logger: Logger, retryDelay: Duration = .seconds(5),
        onTrouble: @escaping @Sendable () -> Void
    ) {
        self.authority = authority
        self.logger = logger
        self.retryDelay = retryDelay
        self.onTrouble = onTrouble
    }

    /// Why the codes could not be changed, for as long as that is so.
    var trouble: StateError? { failure.withLock { $0.error } }
    /// Tasks that look at the storage.
    var watchers: Int { failure.withLock { $0.watchers } }

    /// Changes the codes. Who asks while they are being changed waits for the same new ones.
    /// - Parameters:
    ///   - begin: what to do before, by who does not join another.
    ///   - followUp: what to do when the new codes are on the disk.
    /// - Returns: the new codes, when all is done.
    /// - Throws: `StateError` when they can't be stored; the old ones are valid then.
    @discardableResult func run(
        begin: @escaping @Sendable () async -> Void = {}, _ followUp: @escaping FollowUp
    ) async throws -> RoomCredentials {
        let task = present.withLock { present in
            if let present { return present }
            let task = Task {
                defer { self.present.withLock { $0 = nil } }
                await begin()
                return try await self.rotate(followUp)
            }
            present = task
            return task
        }
        return try await task.value
    }

    private func rotate(_ followUp: FollowUp) async throws -> RoomCredentials {
        let codes: (former: RoomCredentials, present: RoomCredentials)
        do {
            // It waits for the disk, on no thread that others need.
            codes = try await NIOThreadPool.singleton.runIfActive { try self.authority.rotate() }
        } catch let error as StateError {
            logger.error("the room's codes could not be changed: \(error)")
            fail(error)
            throw error
        }
        note(nil)
        await followUp(codes.former, codes.present)
        logger.notice("the room's codes were changed; generation \(codes.present.generation) is valid")
        return codes.present
    }

    /// Notes what is wrong.
    private func note(_ error: StateError?) {
        let former = failure.withLock { failure in
            defer { failure.error = error }
            return failure.error
        }
        if former != error { onTrouble() }
    }

    /// Tells of the failure until the storage works again.
    private func fail(_ error: StateError) {
        note(error)
        // However often it fails and works meanwhile, one looks.
        let isWatched = failure.withLock { failure in
            if failure.watchers == 0 {
                failure.watchers += 1
                return false
            }
            return true
        }
        guard !isWatched else { return }
        Task { [weak self, retryDelay] in
            while true {
                try? await Task.sleep(for: retryDelay)
                guard let self, await watch() else { return }
            }
        }
    }

    /// Looks whether the storage works again.
    /// - Returns: whether to look once more.
    private func watch() async -> Bool {
        let isOver = failure.withLock { failure in
            if failure.error == nil { failure.watchers -= 1 }
            return failure.error == nil
        }
        guard !isOver else { return false }
        do {
            try await NIOThreadPool.singleton.runIfActive { try self.authority.store() }
            note(nil)
        } catch let error as StateError {
            note(error)
        } catch {
            // The process ends.
            return false
        }
        return true
    }
}

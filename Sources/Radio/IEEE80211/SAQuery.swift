public import Wire

/// The category of an action frame (IEEE 802.11-2020, Table 9-51). Unknown values are kept.
public struct ActionCategory: RawRepresentable, Hashable, Sendable {
    /// The number on the air.
    public let rawValue: UInt8

    /// Makes a category of its number.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Block acknowledgement; the driver's own.
    public static let blockAcknowledgement = ActionCategory(rawValue: 3)
    /// Public actions.
    public static let `public` = ActionCategory(rawValue: 4)
    /// SA Query.
    public static let saQuery = ActionCategory(rawValue: 8)
    /// Wireless network management.
    public static let wnm = ActionCategory(rawValue: 10)
}

/// An SA Query action: is the other end's security association still there? (IEEE 802.11-2020, 9.6.9, 11.13)
public struct SAQuery: Hashable, Sendable {
    /// Question or answer.
    public enum Action: UInt8, Hashable, Sendable {
        /// The question.
        case request = 0
        /// The answer, with the question's transaction.
        case response = 1
    }

    /// Question or answer.
    public var action: Action
    /// What ties an answer to its question.
    public var transaction: UInt16

    /// Makes an action.
    public init(_ action: Action, transaction: UInt16) {
        self.action = action
        self.transaction = transaction
    }

    /// Reads an action frame's body.
    /// - Parameter body: what is after the management header.
    /// - Throws: ``FrameError/truncated``, and ``FrameError/wrongKind`` for another action.
    public init(body: RawSpan) throws(FrameError) {
        var reader = ByteReader(body)
        guard let category = reader.readUInt8() else { throw .truncated }
        guard category == ActionCategory.saQuery.rawValue else { throw .wrongKind }
        guard let action = reader.readUInt8(), let transaction = reader.readLittleUInt16() else { throw .truncated }
        guard let action = Action(rawValue: action) else { throw .wrongKind }
        self.init(action, transaction: transaction)
    }

    /// Appends the body.
    public func write(into writer: inout ByteWriter) {
        writer.write(ActionCategory.saQuery.rawValue)
        writer.write(action.rawValue)
        writer.write(little: transaction)
    }
}

import Wire

extension SCTPAssociation {
    /// Makes sure that a chunk fits the packet that is being written: begins one if need be.
    /// - Parameter size: octets of the chunk without padding.
    @inline(__always)
    mutating func makeRoom(for size: Int, in output: inout SCTPOutput) {
        if let start = output.openPacket {
            let padded = (size + 3) & ~3
            if output.written.count - start + padded <= configuration.maximumPacketSize { return }
            closePacket(&output)
        }
        openPacket(tag: peer.initiateTag, in: &output)
    }

    /// Whether a chunk fits the packet that is being written, or an empty one if there is none.
    func hasRoom(for size: Int, in output: borrowing SCTPOutput) -> Bool {
        let used = output.openPacket.map { output.written.count - $0 } ?? PacketHeader.size
        return used + (size + 3) & ~3 <= configuration.maximumPacketSize
    }

    func openPacket(tag: UInt32, in output: inout SCTPOutput) {
        output.openPacket = output.written.count
        output.written.write(
            UInt64(configuration.localPort) << 48 | UInt64(configuration.remotePort) << 32 | UInt64(tag))
        output.written.write(UInt32(0))
    }

    /// Ends the packet that is being written, if there is one.
    /// - Parameter needsChecksum: whether it has a chunk whose checksum must be right in any case (RFC 9653 section 5.2).
    func closePacket(_ output: inout SCTPOutput, needsChecksum: Bool = false) {
        guard let start = output.openPacket else { return }
        output.openPacket = nil
        if needsChecksum || !isUp || !configuration.omitsChecksums || !peer.capabilities.contains(.zeroChecksum) {
            output.written.withUnsafeMutableBytes { bytes in
                let packet = UnsafeRawBufferPointer(rebasing: bytes[start...])
                let checksum = CRC32c.checksum(ofPacket: packet)
                bytes.storeBytes(of: checksum.littleEndian, toByteOffset: start + 8, as: UInt32.self)
            }
        }
        output.packets.append(start..<output.written.count)
    }

    /// Writes a packet with one chunk that has no value.
    mutating func writeAlone(_ type: ChunkType, flags: UInt8 = 0, tag: UInt32, into output: inout SCTPOutput) {
        closePacket(&output)
        openPacket(tag: tag, in: &output)
        output.written.write(chunk: type, flags: flags, length: Chunk.headerSize)
        closePacket(&output, needsChecksum: true)
    }

    /// Writes an ABORT for the peer of this association, if there is one, and ends its packet.
    /// - Parameters:
    ///   - cause: why, or nil.
    ///   - value: what belongs to the cause.
    mutating func writeAbort(_ cause: ErrorCause?, _ value: [UInt8], into output: inout SCTPOutput) {
        guard peer.initiateTag != 0 else { return }
        writeAbort(cause, value, tag: peer.initiateTag, into: &output)
    }

    mutating func writeAbort(_ cause: ErrorCause?, _ value: [UInt8], tag: UInt32, into output: inout SCTPOutput) {
        closePacket(&output)
        openPacket(tag: tag, in: &output)
        let start = output.written.count
        output.written.write(chunk: .abort, length: 0)
        if let cause { output.written.write(cause: cause, value.span.bytes) }
        output.written.overwrite(UInt16(truncatingIfNeeded: output.written.count - start), at: start + 2)
        closePacket(&output, needsChecksum: true)
    }

    /// Writes an ERROR with one cause (RFC 9260 section 3.3.10); one too long for a packet is left out.
    mutating func writeError(_ cause: ErrorCause, _ value: RawSpan, into output: inout SCTPOutput) {
        let length = Chunk.headerSize + Parameter.headerSize + (value.byteCount + 3) & ~3
        guard mayReply(), length + PacketHeader.size <= configuration.maximumPacketSize else { return }
        makeRoom(for: length, in: &output)
        output.written.write(chunk: .error, length: length)
        output.written.write(cause: cause, value)
    }

    /// Writes what has come so far (RFC 9260 section 6.2), as far as it fits a packet.
    mutating func writeAcknowledgement(into output: inout SCTPOutput) {
        acknowledgement = .none
        timers.acknowledgement = .never
        let duplicates = receiving.takeDuplicates()
        let fixed = PacketHeader.size + SelectiveAcknowledgement.headerSize + 4 * duplicates.count
        let blockCount = min(receiving.blocks.count, max(0, (configuration.maximumPacketSize - fixed) / 4))
        let length = SelectiveAcknowledgement.headerSize + 4 * (blockCount + duplicates.count)
        makeRoom(for: length, in: &output)
        output.written.write(chunk: .selectiveAcknowledgement, length: length)
        #if CANARY
            // Wrong on purpose, in a build that nobody gets: `scripts/test simulation` must find that a chunk is said to have
            // come that has not.
            output.written.write((blockCount > 0 ? receiving.cumulative.next : receiving.cumulative).value)
        #else
            output.written.write(receiving.cumulative.value)
        #endif
        output.written.write(receiving.window(configuration.limits))
        output.written.write(UInt16(blockCount))
        output.written.write(UInt16(duplicates.count))
        for block in receiving.blocks[..<blockCount] {
            output.written.write(UInt16(truncatingIfNeeded: block.first.distance(from: receiving.cumulative)))
            output.written.write(UInt16(truncatingIfNeeded: block.last.distance(from: receiving.cumulative)))
        }
        for tsn in duplicates { output.written.write(tsn.value) }
    }
}

import BoxState
import Logging
import Synchronization
import Wire

/// Which addresses the Wi-Fi has, and how its interface gets them.
extension AccessNetwork {
    func chooseSubnet(_ used: [IPNetwork]) throws(Trouble) -> (Subnet, warning: String?) {
        if let wanted = subnet {
            guard wanted.isUsed(in: used) else { return (wanted, nil) }
            return (wanted, "\(wanted), the Wi-Fi's, is in use on another network too; set wifi.subnet to another one")
        }
        guard let free = Subnet.free(of: used) else {
            throw Trouble("no network is left for the Wi-Fi; set wifi.subnet")
        }
        return (free, nil)
    }

    func setAddresses(_ place: Place) throws(Trouble) {
        let former = MachineAddresses.current().addresses(of: place.interface)
        do throws(InterfaceAddresses.Failure) {
            let addresses = try InterfaceAddresses(interface: place.interface)
            try addresses.switchOn()
            // What other programs gave the interface would lead phones and the box astray.
            for (address, prefixLength) in former where address != place.address && address != place.addressV6 {
                try addresses.remove(address, prefixLength: prefixLength)
            }
            try addresses.add(place.address, prefixLength: Subnet.prefixLength)
            if let address = place.addressV6 {
                try addresses.add(address, prefixLength: UniqueLocalPrefix.prefixLength)
            }
        } catch {
            throw Trouble("\(place.interface) can't be given the address \(place.address): \(error)")
        }
    }

    /// The box's IPv6 prefix, made at the first start.
    func prefix() throws(Trouble) -> UniqueLocalPrefix {
        do throws(StateError) {
            if let bytes = try state.read(Self.prefixFile) {
                if let known = UniqueLocalPrefix(text: String(decoding: bytes, as: UTF8.self)) { return known }
                // Nothing hangs on it but what phones remember.
                logger.warning("\(state.path(of: Self.prefixFile)) is damaged; a new prefix is made")
            }
            var generator = SystemRandomNumberGenerator()
            let fresh = UniqueLocalPrefix(using: &generator)
            try state.write(Array(fresh.text.utf8), to: Self.prefixFile)
            return fresh
        } catch {
            throw Trouble("\(error)")
        }
    }

    func removeAddresses(_ closed: Closed) {
        // An interface that is gone took its addresses along.
        guard let addresses = try? InterfaceAddresses(interface: closed.interface) else { return }
        let place = closed.place
        try? addresses.remove(place.address, prefixLength: Subnet.prefixLength)
        if let address = place.addressV6 {
            try? addresses.remove(address, prefixLength: UniqueLocalPrefix.prefixLength)
            try? addresses.remove(Self.linkLocal, prefixLength: UniqueLocalPrefix.prefixLength)
        }
    }

    /// The interface's link-local address where it has lost its own. The kernel makes that when the interface is switched on
    /// and never else, and without one no router is advertised. Nobody else on the Wi-Fi has the box's.
    private static let linkLocal = IPAddress.v6(0xFE80 << 48, 1)

    /// Gives the interface its IPv6 addresses back if it has lost them. The kernel takes them away whenever the interface is
    /// switched off for a moment, and leaves IPv4 as it was: nothing else needs a new start.
    func mendIPv6(_ machine: MachineAddresses) {
        // Another interface may have the former name.
        guard let present = running.withLock({ $0?.closed }), present.interface == present.place.interface,
            let address = present.place.addressV6
        else { return }
        let hasAddress = machine.addresses(of: present.interface).contains { $0.address == address }
        let missing =
            (hasAddress ? [] : [address]) + (machine.hasLinkLocal(present.interface) ? [] : [Self.linkLocal])
        guard !missing.isEmpty else { return }
        mendSettings()
        do throws(InterfaceAddresses.Failure) {
            let addresses = try InterfaceAddresses(interface: present.interface)
            try addresses.switchOn()
            for address in missing { try addresses.add(address, prefixLength: UniqueLocalPrefix.prefixLength) }
            logger.notice("\(present.interface) had lost an IPv6 address of the Wi-Fi's")
        } catch {
            // While it is off, or IPv6 is: the next change is another chance.
            logger.debug("\(present.interface) does not take the Wi-Fi's IPv6 address back: \(error)")
        }
    }
}

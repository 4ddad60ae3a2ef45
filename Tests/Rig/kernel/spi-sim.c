// SPDX-License-Identifier: GPL-2.0
//
// An SPI controller without wires, for tests. The kernel's own spidev makes /dev/spidev0.0 from it; each transfer becomes
// a record in /dev/spitap0: struct record, then its bytes. A reader that is slower than FIFO_SIZE finds its loss in
// `dropped` of the records behind. (A kernel module must be GPL; what is around this file is not.)
#include <linux/gpio.h>
#include <linux/gpio/consumer.h>
#include <linux/kfifo.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/poll.h>
#include <linux/spi/spi.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#define FIFO_SIZE (8 << 20)

static int gpios[8];
static int gpios_count;
module_param_array_named(gpios, gpios, int, &gpios_count, 0444);
MODULE_PARM_DESC(gpios, "numbers of the GPIO lines that are sampled at each transfer: bit i of the record's `gpios`");

static bool lockstep;
module_param(lockstep, bool, 0644);
MODULE_PARM_DESC(lockstep, "whether a transfer ends only when the reader, having read it, reads again: what it does at "
			   "once on other lines is then done, as a chip's BUSY is");

static bool fails;
module_param(fails, bool, 0644);
MODULE_PARM_DESC(fails, "whether each transfer fails");

struct record {
	u64 nanoseconds; // CLOCK_MONOTONIC
	u32 length;
	u32 hertz;
	u32 mode;
	u32 dropped; // transfers lost since the module is there
	u8 gpios;
	u8 first; // of its message: chip select was not held before
} __packed;

static struct kfifo fifo;
static void *fifo_memory;
static DEFINE_MUTEX(lock);
static DECLARE_WAIT_QUEUE_HEAD(readers);
static DECLARE_WAIT_QUEUE_HEAD(writers);
static bool is_read; // all of the FIFO, and the reader asked for more
static struct platform_device *device;
static struct spi_controller *controller;
static u32 dropped;

static int transfer_one(struct spi_controller *c, struct spi_device *spi, struct spi_transfer *transfer)
{
	struct record record = {
		.nanoseconds = ktime_get_ns(),
		.length = transfer->len,
		.hertz = transfer->speed_hz,
		.mode = spi->mode,
	};
	int i;

	if (fails)
		return -EIO;
	for (i = 0; i < gpios_count; i++) {
		struct gpio_desc *line = gpio_to_desc(gpios[i]);

		if (line && gpiod_get_raw_value_cansleep(line) > 0)
			record.gpios |= 1 << i;
	}
	if (c->cur_msg && list_first_entry(&c->cur_msg->transfers, struct spi_transfer, transfer_list) == transfer)
		record.first = 1;
	mutex_lock(&lock);
	if (transfer->tx_buf && kfifo_avail(&fifo) >= sizeof(record) + transfer->len) {
		record.dropped = dropped;
		kfifo_in(&fifo, (u8 *)&record, sizeof(record));
		kfifo_in(&fifo, (const u8 *)transfer->tx_buf, transfer->len);
		is_read = false;
	} else {
		dropped++;
	}
	mutex_unlock(&lock);
	if (transfer->rx_buf)
		memset(transfer->rx_buf, 0xff, transfer->len);
	wake_up_interruptible(&readers);
	if (lockstep && !wait_event_timeout(writers, READ_ONCE(is_read), 5 * HZ))
		return -ETIMEDOUT;
	return 0;
}

static ssize_t tap_read(struct file *file, char __user *buffer, size_t size, loff_t *offset)
{
	unsigned int copied = 0;
	int error;

	if (kfifo_is_empty(&fifo)) {
		WRITE_ONCE(is_read, true);
		wake_up(&writers);
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(readers, !kfifo_is_empty(&fifo)))
			return -ERESTARTSYS;
	}
	mutex_lock(&lock);
	error = kfifo_to_user(&fifo, buffer, size, &copied);
	mutex_unlock(&lock);
	return error ? error : copied;
}

static __poll_t tap_poll(struct file *file, poll_table *table)
{
	poll_wait(file, &readers, table);
	return kfifo_is_empty(&fifo) ? 0 : EPOLLIN | EPOLLRDNORM;
}

static const struct file_operations tap_operations = {
	.owner = THIS_MODULE,
	.read = tap_read,
	.poll = tap_poll,
};
static struct miscdevice tap = { .minor = MISC_DYNAMIC_MINOR, .name = "spitap0", .fops = &tap_operations };

static int __init spi_sim_init(void)
{
	// spidev takes no name of its own, only those of devices it knows.
	struct spi_board_info chip = { .modalias = "dh2228fv", .max_speed_hz = 125000000 };
	int error;

	fifo_memory = vmalloc(FIFO_SIZE);
	if (!fifo_memory)
		return -ENOMEM;
	kfifo_init(&fifo, fifo_memory, FIFO_SIZE);
	device = platform_device_register_simple("spi-sim", 0, NULL, 0);
	if (IS_ERR(device)) {
		error = PTR_ERR(device);
		goto free_fifo;
	}
	controller = spi_alloc_host(&device->dev, 0);
	if (!controller) {
		error = -ENOMEM;
		goto unregister_device;
	}
	controller->bus_num = 0;
	controller->num_chipselect = 1;
	controller->mode_bits = SPI_CPOL | SPI_CPHA | SPI_CS_HIGH | SPI_LSB_FIRST | SPI_3WIRE | SPI_NO_CS;
	controller->bits_per_word_mask = SPI_BPW_MASK(8);
	controller->transfer_one = transfer_one;
	error = spi_register_controller(controller);
	if (error) {
		spi_controller_put(controller);
		goto unregister_device;
	}
	if (!spi_new_device(controller, &chip)) {
		error = -ENODEV;
		goto unregister_controller;
	}
	error = misc_register(&tap);
	if (error)
		goto unregister_controller;
	return 0;

unregister_controller:
	spi_unregister_controller(controller);
unregister_device:
	platform_device_unregister(device);
free_fifo:
	vfree(fifo_memory);
	return error;
}

static void __exit spi_sim_exit(void)
{
	misc_deregister(&tap);
	spi_unregister_controller(controller);
	platform_device_unregister(device);
	vfree(fifo_memory);
}

module_init(spi_sim_init);
module_exit(spi_sim_exit);
MODULE_DESCRIPTION("SPI controller without wires");
MODULE_LICENSE("GPL");

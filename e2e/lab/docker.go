package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// DockerCreate makes the container that `docker create` with these arguments
// would make of an image, whatever its name. It knows the flags that a container
// of the bot has and refuses others. Networks are not made: the container has
// this machine's.
func DockerCreate(image *Image, arguments []string) (*Container, error) {
	for _, flag := range []string{"--read-only", "--cap-drop=ALL"} {
		if !slices.Contains(arguments, flag) {
			return nil, fmt.Errorf("docker create without %s makes a container with more rights than the lab's have", flag)
		}
	}
	own := *image
	c := &Container{image: &own}
	for len(arguments) > 0 {
		flag, value, _ := strings.Cut(arguments[0], "=")
		arguments = arguments[1:]
		var err error
		switch flag {
		case "--read-only", "--cap-drop", "--security-opt", "--rm", "--name", "--log-driver", "--network":
		case "--user":
			_, err = fmt.Sscanf(value, "%d:%d", &own.User, &own.Group)
		case "--env":
			c.env = append(c.env, value)
		case "--mount":
			if len(arguments) > 0 {
				err = c.mount(arguments[0])
				arguments = arguments[1:]
			}
		default:
			if strings.HasPrefix(flag, "-") {
				err = errors.New("the lab does not know this flag")
			} else if len(arguments) > 0 {
				err = errors.New("the lab only runs what the image does by itself")
			}
		}
		if err != nil {
			return nil, fmt.Errorf("docker create: %s %s: %w", flag, value, err)
		}
	}
	if c.data == "" {
		return nil, errors.New("docker create: nothing is mounted as /data")
	}
	return c, nil
}

// mount understands `type=bind,src=FOLDER,dst=FOLDER`, followed by `,ro` or nothing.
func (c *Container) mount(description string) error {
	var source, target string
	readOnly := false
	for part := range strings.SplitSeq(description, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "src":
			source = value
		case "dst":
			target = value
		case "ro":
			readOnly = true
		}
	}
	switch {
	case target == "/data" && !readOnly:
		c.data = source
	case strings.HasPrefix(target, "/data/") && readOnly:
		c.readOnly = append(c.readOnly, [2]string{source, target})
	default:
		return errors.New("the lab only mounts /data, and what can't be written in it")
	}
	return nil
}
